#!/bin/sh
# A root with nothing in it but this machine's own programs (an overlay, so that what is installed
# there stays there), and systemd as its first process: boot.sh FOLDER. To be run as the first
# process of new mount, process, network, host name and cgroup namespaces.
set -e
root=$1
mount -t tmpfs -o mode=0755 tmpfs "$root"
cd "$root"
mkdir -p usr proc sys dev run tmp etc/systemd/system var/lib/dpkg var/tmp home root .over/usr .over/usr-work \
    .over/dpkg .over/dpkg-work
chmod 1777 tmp var/tmp
mount -t overlay overlay -o "lowerdir=/usr,upperdir=$root/.over/usr,workdir=$root/.over/usr-work" usr
mount -t overlay overlay -o "lowerdir=/var/lib/dpkg,upperdir=$root/.over/dpkg,workdir=$root/.over/dpkg-work" \
    var/lib/dpkg
# Where packages must not start services there is one; here they are to.
rm -f usr/sbin/policy-rc.d
for folder in bin sbin lib lib32 lib64 libx32; do
    [ ! -L "/$folder" ] || ln -s "usr/$folder" "$folder"
done
: >var/lib/dpkg/statoverride
cp -a /etc/ld.so.cache /etc/ld.so.conf /etc/ld.so.conf.d /etc/alternatives /etc/nsswitch.conf etc/
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n' >etc/passwd
printf 'root:x:0:\nnogroup:x:65534:\n' >etc/group
echo 0123456789abcdef0123456789abcdef >etc/machine-id
ln -s /lib/systemd/system/basic.target etc/systemd/system/default.target
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount --rbind /dev dev
mount -t tmpfs -o mode=0755 tmpfs run
exec env -i container=lianban PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    chroot "$root" /lib/systemd/systemd --system --log-target=null --show-status=0
