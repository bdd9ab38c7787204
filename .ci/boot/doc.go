// Package boot boots virtual machines and looks at lessee in them: under
// systemd as the first process, with a clock that may be set, from the first
// moment of a system to its last. Nothing of this can be done to the machine
// that runs the tests.
//
// The processor is emulated (QEMU's TCG), also where it need not be, so that
// every machine runs the same test; a guest is up after 4 s or so. It needs the
// Debian packages that the file packages lists, and no privilege. In CI one
// that is missing is a failure; elsewhere the tests are skipped.
//
//	i := boot.Systemd()
//	i.File("/usr/sbin/lessee", 0o755, program)
//	i.Unit("lessee.service", unit, "multi-user.target")
//	vm := boot.Start(t, boot.Config{Image: i, Modules: []string{"veth"}})
//	out, code := vm.Run("systemctl status lessee")
//	vm.Until("ip address show dev lan0 | grep -q 192.0.2.")
//
// # What is in a guest
//
// An [Image] is made of this machine's files: programs with the libraries that
// they need, units, modules of the kernel, and whatever a test adds. It becomes
// the initramfs, and that is all there is: no disk, nothing that stays. Without
// [Systemd] the first program is the test's own choice ([Config.Init]), and with
// arguments for QEMU there are other devices, such as a card on its user
// network:
//
//	boot.Config{Image: boot.NewImage(), Modules: []string{"virtio_net", "virtio_pci"},
//		QEMU: []string{"-nic", "user,model=virtio-net-pci,restrict=on"}, Init: ...}
//
// The initramfs of a generator, such as mkinitramfs, can be looked at too: with
// [Config.Base] it lies under the Image, which then is [Nothing], or little.
//
// A guest has no network by itself. [Config.Setup] may give it one: a pair of
// virtual links, of which one end is with a server in a namespace.
//
// # How it is talked to
//
//	test ── VM.Run ──► socket ──► QEMU ──► ttyS1 ──► guest/shell ──► sh
//	     ◄─ exit code, output ───────────────────────────┘
//	     ◄─ file ◄── QEMU ◄── ttyS0   the kernel's and systemd's console
//
// guest/init starts that shell before the first program, so it answers while
// the system boots, when that hangs, and after services have stopped.
//
// QEMU runs under timeout(1): it ends with the test, even if that is killed, or
// when its time is over.
package boot
