#!/bin/busybox sh
# First process of the test machine: the clone's own filesystem over 9p, read-only, under a writable layer in memory; then
# /command.sh with the machine as a pure cgroup-v2 host. Made into an initramfs by scripts/qemu/image.ts.
export PATH=/bin:/sbin:/usr/bin:/usr/sbin
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev /host /over /new
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module" || echo "insmod $module failed"; done </modules/order
mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose host /host || exec sh
mount -t tmpfs -o mode=755 over /over
mkdir -p /over/upper /over/work
mount -t overlay -o lowerdir=/host,upperdir=/over/upper,workdir=/over/work root /new || exec sh
for dir in proc sys dev; do mount --move "/$dir" "/new/$dir"; done
mount -t tmpfs -o mode=755 tmpfs /new/run
# Upper layers want a disk: this kernel's tmpfs has no user attributes.
mount -t ext4 /new/dev/vda /new/tmp
chmod 1777 /new/tmp
mount -t tmpfs -o mode=1777 tmpfs /new/var/tmp
mkdir -p /new/dev/pts /new/dev/shm /new/dev/mqueue
mount -t devpts -o ptmxmode=666 devpts /new/dev/pts
mount -t tmpfs -o mode=1777 shm /new/dev/shm
mount -t mqueue mqueue /new/dev/mqueue
mount -t cgroup2 cgroup2 /new/sys/fs/cgroup
mount -t securityfs securityfs /new/sys/kernel/security
mkdir -p /new/var/lib/lapstrake
mount -t tmpfs lib /new/var/lib/lapstrake
ip link set lo up
cp /command.sh /new/run/command.sh
exec switch_root /new /bin/sh -c 'sh /run/command.sh; echo "lap-machine-exit: $?"; sync; /bin/busybox poweroff -f'
