package config

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Setters that many rows have. What every row of a kind demands is checked
// here, once.

// text sets a field as it stands.
func text(field func(*target) *string) func(*target, []string) error {
	return func(t *target, words []string) error {
		*field(t) = words[0]
		return nil
	}
}

// yes sets a field that is true or false.
func yes(field func(*target) *bool) func(*target, []string) error {
	return func(t *target, words []string) error {
		*field(t) = words[0] == "true"
		return nil
	}
}

// duration sets a field that is a time of 0 or more.
func duration(field func(*target) *time.Duration) func(*target, []string) error {
	return func(t *target, words []string) (err error) {
		*field(t), err = ParseDuration(words[0])
		return err
	}
}

// ParseDuration reads a time of 0 or more: "90", in seconds, as DHCP counts, or
// "1m30s".
func ParseDuration(word string) (time.Duration, error) {
	d, err := time.ParseDuration(word)
	if n, plain := strconv.ParseInt(word, 10, 32); plain == nil {
		d, err = time.Duration(n)*time.Second, nil
	}
	switch {
	case err != nil:
		return 0, errors.New(`want a duration such as "1m30s", or seconds`)
	case d < 0:
		return 0, errors.New("want 0 or more")
	}
	return d, nil
}

// parseNumber reads a number that fits an int on every architecture.
func parseNumber(word string) (int, error) {
	n, err := strconv.ParseInt(word, 10, 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return 0, errors.New("want a number")
	case err != nil || n > math.MaxInt32 || n < math.MinInt32:
		return 0, errors.New("the number is too large")
	case n < 0:
		return 0, errors.New("want 0 or more")
	}
	return int(n), nil
}

// positive sets a field that is a number above 0.
func positive(field func(*target) *int) func(*target, []string) error {
	return func(t *target, words []string) (err error) {
		n, err := parseNumber(words[0])
		if err == nil && n == 0 {
			err = errors.New("want 1 or more")
		}
		*field(t) = n
		return err
	}
}

// maxWord bounds a text: nothing longer fits an option, nor a path.
const maxWord = 4096

// checkWords refuses what no setting of this kind takes, wherever it stands.
func (s *Setting) checkWords(words []string) error {
	for _, w := range words {
		switch {
		case len(w) > maxWord:
			return fmt.Errorf("%d bytes are too many", len(w))
		case strings.ContainsRune(w, 0):
			return errors.New("a NUL byte cannot be in it")
		}
	}
	switch {
	case s.many():
		return nil
	case len(words) != 1:
		return fmt.Errorf("given %d times; want one value", len(words))
	case s.Kind == Bool && words[0] != "true" && words[0] != "false":
		return errors.New("want true or false")
	case s.Kind == Text && len(s.Words) > 0 && !slices.Contains(s.Words, words[0]):
		return fmt.Errorf("want one of %s%s", strings.Join(s.Words, ", "), meant(words[0], s.Words))
	}
	return nil
}

// apply checks words and sets them in t.
func (r *row) apply(t *target, words []string) error {
	if err := r.checkWords(words); err != nil {
		return err
	}
	return r.set(t, words)
}
