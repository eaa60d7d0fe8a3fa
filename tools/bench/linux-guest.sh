#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The Linux column of the comparison: posixbench in a stock Debian Linux guest, same QEMU, same CPU model.
#
#   linux-guest.sh build DIR                      fetch kernel and busybox packages, make the initramfs in DIR
#   linux-guest.sh run DIR icount|tcg tmpfs|ext2 [posixbench arguments]
#
# Prints posixbench's lines. Under icount 1 ns = 1 guest instruction (do not use it for tests that wait for a
# disk: the clock jumps while the guest idles). Needs: gcc, cpio, qemu-system-x86, e2fsprogs, and apt with
# package lists. Extra kernel arguments: LINUX_ARGS (the lean column: see the head of linux-6.1-qemu64.tsv).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

build() {
    mkdir -p "$1" && cd "$1"
    local image
    image=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: *\(linux-image-[0-9].*\)$/\1/p' | head -n1)
    [ -n "$image" ] || { echo "linux-guest: no cloud kernel in the package lists (apt-get update?)" >&2; exit 1; }
    apt-get -q download "$image" busybox-static >&2
    rm -rf root fs && mkdir -p root fs/{bin,dev,proc,sys,tmp,mnt,modules}
    for deb in ./*.deb; do dpkg -x "$deb" root; done
    cp "$(find root -path '*/bin/busybox' | head -n1)" fs/bin/busybox
    ln -sf busybox fs/bin/sh
    gcc -std=c99 -O2 -static -s -o fs/bin/posixbench "$here/posixbench.c"
    gcc -O2 -static -s -o fs/bin/rawsyscall "$here/rawsyscall.c"
    for m in virtio/virtio virtio/virtio_ring virtio/virtio_pci_legacy_dev virtio/virtio_pci_modern_dev \
             virtio/virtio_pci block/virtio_blk; do
        find root -path "*/drivers/$m.ko*" -exec cp {} fs/modules/ \;
    done
    cat > fs/init <<'INIT'
#!/bin/sh
export PATH=/bin
busybox mount -t proc proc /proc
busybox mount -t sysfs sys /sys
busybox mount -t devtmpfs dev /dev
busybox mount -t tmpfs tmp /tmp
for word in $(busybox cat /proc/cmdline); do
    case $word in pb_*=*) eval "${word%%=*}='${word#*=}'";; esac
done
where=/tmp
if [ "$pb_fs" = ext2 ]; then
    for m in virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk; do
        busybox insmod /modules/$m.ko
    done
    busybox mount -t ext2 /dev/vda /mnt && where=/mnt
fi
busybox cp /bin/posixbench $where/
$where/posixbench -d $where $(echo "$pb_args" | busybox tr , ' ') > /tmp/out 2>&1
echo BEGIN; busybox cat /tmp/out; echo END
busybox poweroff -f
INIT
    chmod +x fs/init
    (cd fs && find . | cpio -o -H newc -R 0:0 --quiet) > initramfs.cpio
    cp root/boot/vmlinuz-* vmlinuz
}

run() {
    local dir=$1 accel=$2 fs=$3 clock options; shift 3
    options=(-machine pc -cpu qemu64 -smp 1 -m 512 -nodefaults -display none -monitor none -serial stdio
             -no-reboot -kernel "$dir/vmlinuz" -initrd "$dir/initramfs.cpio" -accel tcg)
    clock="clocksource=tsc tsc=reliable"
    if [ "$accel" = icount ]; then
        options+=(-icount shift=0,sleep=off -seed 1 -rtc base=2024-01-01T00:00:00,clock=vm)
        clock+=" tsc_early_khz=1000000"
    fi
    if [ "$fs" = ext2 ]; then
        rm -f "$dir/disk.img" && mke2fs -q -t ext2 -b 4096 "$dir/disk.img" 128M
        options+=(-drive "file=$dir/disk.img,if=none,id=d0,format=raw" -device virtio-blk-pci,drive=d0)
    fi
    timeout "${LINUX_TIMEOUT:-1800}" qemu-system-x86_64 "${options[@]}" \
        -append "console=ttyS0 quiet $clock panic=-1 pb_fs=$fs pb_args=$(IFS=,; echo "$*") ${LINUX_ARGS:-}" </dev/null |
        tr -d '\r' | sed -n '/^BEGIN$/,/^END$/{/^BEGIN$/d;/^END$/d;p}'
}

case ${1:-} in
build) build "${2:?where}" ;;
run) shift; run "$@" ;;
*) sed -n '4,11s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
