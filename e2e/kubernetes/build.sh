#!/usr/bin/env bash
# build.sh FOLDER: Kubernetes 1.20.2 (API server, controller manager, scheduler, kubelet) from Debian's source package, with Debian's Go.
# Needs apt and root; takes four minutes on two idle cores. FOLDER/bin appears whole or not at all.
set -euo pipefail
folder=${1:?the folder of the cache}
mkdir -p "$folder"
exec 9>"$folder/build.lock"
flock 9
[ -x "$folder/bin/kubelet" ] && exit 0
work=$folder/build
rm -rf "$work"
mkdir -p "$work/lists/partial"
cd "$work"

apt-get install -y -qq --no-install-recommends golang-1.19-go dpkg-dev rsync make gcc libc6-dev >/dev/null
{ grep -rhE '^deb ' /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true; } | grep -v security >binary.list || true
[ -s binary.list ] || awk '/^URIs:/ {uri = $2} /^Suites:/ && !/security/ {for (i = 2; i <= NF; i++) print "deb", uri, $i, "main"}' \
  /etc/apt/sources.list.d/*.sources >binary.list
sed 's/^deb /deb-src /' binary.list | cat - binary.list >sources.list
apt=(-o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$work/lists")
apt-get "${apt[@]}" update -qq
apt-get "${apt[@]}" source -qq --download-only kubernetes
apt-get "${apt[@]}" download -qq golang-github-modern-go-reflect2-dev
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
export GOPATH=$PWD/.go HOME=$work/home PATH=/usr/lib/go-1.19/bin:$PATH CGO_ENABLED=0 GOCACHE=$work/gocache GOFLAGS=-mod=vendor GOPROXY=off
export KUBE_GIT_VERSION=v1.20.2 KUBE_GIT_COMMIT=debian KUBE_GIT_TREE_STATE=archive KUBE_GIT_MAJOR=1 KUBE_GIT_MINOR=20
make WHAT='cmd/kube-apiserver cmd/kube-controller-manager cmd/kube-scheduler cmd/kubelet' >"$folder/build.log" 2>&1 || {
  tail -20 "$folder/build.log" >&2
  exit 1
}
mkdir -p "$work/bin"
cp _output/bin/kube* "$work/pause" "$work/bin/"
cd "$folder"
mv "$work/bin" bin
rm -rf "$work"
