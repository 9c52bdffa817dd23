#!/usr/bin/env bash
# build.sh [FOLDER]: Kubernetes 1.20.2 (API server, controller manager, scheduler, kubelet) from Debian's source package, with Debian's Go,
# and what its stories need besides. Takes four minutes on two idle cores, and compiles only in time that nobody else wants. FOLDER/bin
# appears whole or not at all. Ends with 3 where this machine cannot have it, and says why.
set -euo pipefail
folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/mcpg/kubernetes-1.20.2}
cannot() {
  echo "$*" >&2
  exit 3
}
[ "$(uname -s)" = Linux ] || cannot 'Kubernetes runs on Linux only'
[ "$(id -u)" = 0 ] || cannot 'a node of Kubernetes needs root'
mkdir -p "$folder"
exec 9>"$folder/build.lock"
flock 9

missing=()
while read -r program package; do command -v "$program" >/dev/null || missing+=("$package"); done <<'PROGRAMS'
etcd etcd-server
dockerd docker.io
runc runc
conntrack conntrack
iptables iptables
promtool prometheus
busybox busybox-static
openssl openssl
unzip unzip
PROGRAMS
[ -x "$folder/bin/kubelet" ] || [ -x /usr/lib/go-1.19/bin/go ] || missing+=(golang-1.19-go)
[ -x "$folder/bin/kubelet" ] || missing+=(dpkg-dev rsync make gcc libc6-dev)
if [ ${#missing[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || cannot "${missing[*]} are missing, and there is no apt-get to install them"
  # The lock of e2e/apt.ts.
  install='apt-get update -qq && apt-get install -o DPkg::Lock::Timeout=600 -y -qq --no-install-recommends "$@" </dev/null >/dev/null'
  DEBIAN_FRONTEND=noninteractive flock "${TMPDIR:-/tmp}/mcpg-apt.lock" sh -c "$install" sh "${missing[@]}" ||
    cannot "${missing[*]} could not be installed"
fi
[ -x "$folder/bin/kubelet" ] && exit 0

echo "building Kubernetes 1.20.2 into $folder; it is kept there"
work=$folder/build
rm -rf "$work"
mkdir -p "$work/lists/partial"
cd "$work"
apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
  awk '$1 == "Debian" && !/-security/ {for (type = 0; type < 2; type++) print type ? "deb-src" : "deb", $2, $3, $4}' | sort -u >sources.list
apt=(-o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$work/lists")
apt-get "${apt[@]}" update -qq || cannot 'the lists of source packages cannot be had'
apt-get "${apt[@]}" source -qq --download-only kubernetes || cannot 'the source package kubernetes cannot be had'
apt-get "${apt[@]}" download -qq golang-github-modern-go-reflect2-dev || cannot 'golang-github-modern-go-reflect2-dev cannot be had'
ls kubernetes_1.20*.dsc >/dev/null 2>&1 || cannot 'this Debian has another Kubernetes than 1.20'

# Where the kernel shares the processors out by session, a session of its own has to be as modest as its processes.
renice -n 19 $$ >/dev/null
if [ "$(cut -d ' ' -f 6 /proc/$$/stat)" = $$ ] && [ -w /proc/$$/autogroup ]; then echo 19 >/proc/$$/autogroup || true; fi
dpkg-source -x kubernetes_1.20*.dsc src >/dev/null 2>&1
dpkg -x golang-github-modern-go-reflect2-dev_*.deb reflect2

# The vendored reflect2 1.0.1 crashes the API server on the first custom resource under Go >= 1.18.
vendored=src/vendor/github.com/modern-go/reflect2
rm -f $vendored/*.go $vendored/*.s
cp reflect2/usr/share/gocode/src/github.com/modern-go/reflect2/*.{go,s} $vendored/
rm -f $vendored/*_test.go

# The container that holds the namespaces of a pod.
gcc -Os -static -o pause src/build/pause/linux/pause.c 2>/dev/null || gcc -Os -static -o pause src/build/pause/pause.c

cd src
mkdir -p "$work/home" .go/src/k8s.io
ln -sfn ../../.. .go/src/k8s.io/kubernetes
export GOPATH=$PWD/.go HOME=$work/home PATH=/usr/lib/go-1.19/bin:$PATH CGO_ENABLED=0 GOPROXY=off
# Without the clouds, which are most of the work.
export GOFLAGS='-mod=vendor -tags=providerless'
export KUBE_STATIC_OVERRIDES=kubelet KUBE_GIT_VERSION=v1.20.2 KUBE_GIT_COMMIT=debian KUBE_GIT_TREE_STATE=archive KUBE_GIT_MAJOR=1 KUBE_GIT_MINOR=20
# What was compiled outlives a build that is cut off.
sed -i "s|export GOCACHE=.*|export GOCACHE=$folder/gocache|" hack/lib/golang.sh
{
  # All else that is generated is in the package.
  make gen_openapi && hack/make-rules/build.sh cmd/kube-apiserver cmd/kube-controller-manager cmd/kube-scheduler cmd/kubelet
} >"$folder/build.log" 2>&1 || {
  tail -20 "$folder/build.log" >&2
  exit 1
}
mkdir -p "$work/bin"
cp _output/bin/kube* "$work/pause" "$work/bin/"
cd "$folder"
mv "$work/bin" bin
rm -rf "$work" gocache
