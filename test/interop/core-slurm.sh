# A Slurm of one node in namespaces of its own, for core-slurm.test.ts: `sh core-slurm.sh FOLDER RUNTIME UNPACKED`. FOLDER holds
# `bundle` and `user` (of nobody); UNPACKED is a folder with Debian's packages unpacked, or "" where they are installed.
set -e
folder=$1 runtime=$2 unpacked=$3
mkdir -p "$folder/etc" "$folder/state" "$folder/spool" "$folder/extra/sbin" "$folder/containers"
chmod 777 "$folder/containers"
hostname lapslurm
# getaddrinfo(3) wants an address beyond loopback's.
ip link set lo up
ip addr add 10.77.0.1/24 dev lo
printf '127.0.0.1 localhost\n10.77.0.1 lapslurm\n' > "$folder/hosts"
mount --bind "$folder/hosts" /etc/hosts
if [ -n "$unpacked" ]; then
  ln -s slurmstepd-wlm "$folder/extra/sbin/slurmstepd"
  mount -t overlay overlay -o "lowerdir=$folder/extra:$unpacked/usr:/usr" /usr
fi
mkdir -p /run/slurm
export SLURM_CONF="$folder/etc/slurm.conf"
cat > "$SLURM_CONF" <<X
ClusterName=lap
SlurmctldHost=lapslurm(10.77.0.1)
AuthType=auth/none
CredType=cred/none
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
SlurmdDebug=debug
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MpiDefault=none
SelectType=select/linear
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
KillWait=10
NodeName=lapslurm NodeAddr=10.77.0.1 CPUs=1 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES State=UP
X
cat > "$folder/etc/oci.conf" <<X
RunTimeQuery="$runtime --root $folder/containers/%u state %n.%u.%j.%s.%t"
RunTimeRun="$runtime --root $folder/containers/%u run %n.%u.%j.%s.%t -b %b"
RunTimeKill="$runtime --root $folder/containers/%u kill %n.%u.%j.%s.%t SIGKILL"
RunTimeDelete="$runtime --root $folder/containers/%u delete --force %n.%u.%j.%s.%t"
X
await() { for _ in $(seq 300); do if eval "$1"; then return 0; fi; sleep 0.1; done; echo "never: $1"; return 1; }
slurmctld-wlm -c
slurmd-wlm -N lapslurm
await 'sinfo -h -o %T 2>/dev/null | grep -q idle'
set +e
echo "== output"
srun --quiet --container "$folder/bundle" cat /etc/name
echo "== exit code"
srun --quiet --container "$folder/bundle" sh -c 'exit 7' 2>/dev/null
echo "$?"
echo "== user"
setpriv --reuid nobody --regid nogroup --clear-groups env HOME=/ srun --quiet --container "$folder/user" sh -c 'id -u; cat /proc/self/uid_map'
echo "== cancel"
srun --quiet --job-name lap-cancel --container "$folder/bundle" sleep 1000 2>/dev/null &
await 'pgrep -x sleep > /dev/null && pgrep lap-shim > /dev/null'
scancel --name lap-cancel
wait "$!"
await '! pgrep lap-shim > /dev/null' && await '! ls "$folder/containers/root" | grep -q lapslurm' && echo "nothing left"
