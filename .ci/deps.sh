# shellcheck shell=bash disable=SC2154  # deps comes from ./dev
# What godwit needs of the machine, for ./dev (which sets deps, say and die).
#
# Most comes from Debian 12 by package name. Three libraries lack a switch in their binary package and are rebuilt
# from Debian's own sources, with Debian's security patches, into folders of their own below $deps:
#   $deps/NAME-VERSION-RECIPE/{include,lib,files.sha256,build.log}
# so that checkouts with other recipes live side by side. Links in $deps/lib/pkgconfig show the latest.

packages=(
    # to build
    g++ meson ninja-build pkg-config ccache git python3
    # to rebuild what lacks a switch
    dpkg-dev autoconf automake libtool make
    # the loop, QUIC, the wire format, the configuration, the command line
    libuv1-dev libngtcp2-dev capnproto libcapnp-dev libtomlplusplus-dev libcli11-dev
    libreadline-dev
    # logging and formatting
    libspdlog-dev libfmt-dev
    # the admin plane: HTTP, metrics text, JSON
    libmicrohttpd-dev prometheus-cpp-dev nlohmann-json3-dev
    # hashes, the result type, the hash map, the queue between threads
    libxxhash-dev libisal-dev libexpected-dev robin-map-dev libconcurrentqueue-dev
    # for scripts: compression, requests over HTTP
    libzstd-dev libcurl4-openssl-dev
    # the durable store
    libsqlite3-dev
    # whom a client trusts by default
    ca-certificates
    # tests and the format check
    catch2 clang-format lua-check spin
)

# --- rebuilt dependencies: recipe_NAME PREFIX STAGE, run in the unpacked source ---------------------------------

# Debian's wolfSSL has no QUIC. sp-asm makes a P-256 signature fifteen times as fast; certext and ALT_NAMES let
# `godwit serve --dev` write subject alternative names into the certificate it makes.
recipe_wolfssl() {
    local x86=()
    [ "$(uname -m)" != x86_64 ] || x86=(--enable-aesni --enable-intelasm)
    autoreconf -fi &&
        ./configure --prefix="$1" --enable-quic --enable-session-ticket --enable-earlydata --enable-psk \
            --enable-harden --enable-altcertchains --enable-ip-alt-name --enable-alpn --enable-sni "${x86[@]}" \
            --enable-curve25519 --enable-ed25519 --enable-certgen --enable-certext --enable-keygen --enable-opensslextra \
            --enable-sp=yes --enable-sp-asm --disable-examples --disable-crypttests \
            --enable-static --disable-shared --with-pic CFLAGS="-O3 -g -DWOLFSSL_ALT_NAMES" &&
        make -j"$(nproc)" &&
        make install DESTDIR="$2" &&
        rm -rf -- "$2$1/share"
}

# Debian packages ngtcp2's TLS helper for GnuTLS only; this is the one for wolfSSL. The library itself is rebuilt for a
# fault that its users cannot work around, and for its memory (.ci/patches says why); its headers are the packaged ones.
recipe_ngtcp2() {
    local lib=$2$1/lib flags=(-O2 -g -fPIC -Icrypto -Icrypto/includes -Ilib -DHAVE_ARPA_INET_H -DHAVE_NETINET_IN_H
        -DHAVE_ENDIAN_H -DHAVE_BYTESWAP_H -DHAVE_DECL_BE64TOH=1 -DHAVE_DECL_BSWAP_64=1 -DHAVE_UNISTD_H)
    mkdir -p "$2$1/include/ngtcp2" "$lib/pkgconfig" &&
        cat "$here"/.ci/patches/ngtcp2-*.patch | patch -p1 &&
        printf '%s\n' lib/*.c | xargs -P "$(nproc)" -n 8 cc "${flags[@]}" -c &&
        ar rcs "$lib/libngtcp2.a" ngtcp2_*.o &&
        cc "${flags[@]}" "-I${made[wolfssl]}/include" -c crypto/shared.c crypto/wolfssl/wolfssl.c &&
        ar rcs "$lib/libngtcp2_crypto_wolfssl.a" shared.o wolfssl.o &&
        cp crypto/includes/ngtcp2/ngtcp2_crypto{,_wolfssl}.h "$2$1/include/ngtcp2/" &&
        cat >"$lib/pkgconfig/libngtcp2.pc" <<PC &&
prefix=$1
Name: libngtcp2
Description: ngtcp2, patched
Version: $(pkg-config --modversion libngtcp2)
Libs: -L\${prefix}/lib -lngtcp2
PC
        cat >"$lib/pkgconfig/libngtcp2_crypto_wolfssl.pc" <<PC
prefix=$1
Name: libngtcp2_crypto_wolfssl
Description: ngtcp2 crypto helper for wolfSSL
Version: $(pkg-config --modversion libngtcp2)
Requires: libngtcp2 wolfssl
Cflags: -I\${prefix}/include
Libs: -L\${prefix}/lib -lngtcp2_crypto_wolfssl
PC
}

# Debian's LuaJIT cannot interrupt a compiled loop; with CHECKHOOK it can, at no cost while no hook is set. And it is
# rebuilt for a crash (.ci/patches says which).
recipe_luajit2() {
    local include=$2$1/include/luajit-2.1 lib=$2$1/lib
    cat "$here"/.ci/patches/luajit2-*.patch | patch -p1 &&
        make -j"$(nproc)" -C src XCFLAGS=-DLUAJIT_ENABLE_CHECKHOOK libluajit.a &&
        mkdir -p "$include" "$lib/pkgconfig" &&
        cp src/{lua.h,lua.hpp,lualib.h,lauxlib.h,luaconf.h,luajit.h} "$include/" &&
        cp src/libluajit.a "$lib/libluajit-5.1.a" &&
        cat >"$lib/pkgconfig/luajit.pc" <<PC
prefix=$1
Name: LuaJIT
Description: LuaJIT (OpenResty branch) with LUAJIT_ENABLE_CHECKHOOK
Version: 2.1.0
Cflags: -I\${prefix}/include/luajit-2.1
Libs: -L\${prefix}/lib -lluajit-5.1 -lm -ldl
PC
}

# --- packages ---------------------------------------------------------------------------------------------------

missing_packages() {
    local name
    for name in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || printf '%s\n' "$name"
    done
}

install_packages() {
    local missing become=()
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        local advice="as root: apt-get install --no-install-recommends ${missing[*]}"
        command -v sudo >/dev/null || die "these packages are missing and there is neither root nor sudo here." "$advice"
        [ -t 0 ] || sudo -n true 2>/dev/null || die "these packages are missing and sudo wants a password." "$advice"
        become=(sudo)
    fi
    say "installing: ${missing[*]}"
    "${become[@]}" apt-get -q update </dev/null >&2 || say "apt-get update failed; going on with the lists there are"
    "${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends \
        "${missing[@]}" </dev/null >&2 ||
        die "apt could not install the packages above; its own words say why." \
            "'Unable to locate' after a failed update means: no network, or no Debian mirror in apt's sources." \
            "On another distribution than Debian 12 a package may have another name."
}

on_debian_12() { grep -qx 'ID=debian' /etc/os-release && grep -qx 'VERSION_ID="12"' /etc/os-release; }

check_system() {
    command -v apt-get >/dev/null ||
        die "this system has no apt. godwit is built on Debian 12 (a container of debian:bookworm will do)."
    on_debian_12 || say "only Debian 12 is tested, and this is not it; trying all the same"
    case $deps in
        /*[[:space:]]*) die "the dependency prefix '$deps' contains a space, which the libraries' build cannot bear;" \
            "set GODWIT_DEPS to a folder without one" ;;
        /*) ;;
        *) die "GODWIT_DEPS must be an absolute path, not '$deps'" ;;
    esac
}

# --- fetching ---------------------------------------------------------------------------------------------------

# private_apt TYPE: makes ./apt, a state of apt of its own with the system's package sources turned into TYPE (deb or
# deb-src), fetches its lists, and leaves in apt_options what makes apt-get use it.
private_apt() {
    local apt=$PWD/apt file LIST='' PARTS=''
    mkdir -p "$apt"/{parts,lists/partial,cache/archives/partial}
    eval "$(apt-config shell LIST Dir::Etc::sourcelist/f PARTS Dir::Etc::sourceparts/d)"
    for file in "$LIST" "$PARTS"*.list; do
        [ ! -f "$file" ] || sed -n "s/^deb\([[:space:]]\)/$1\1/p" "$file" >"$apt/parts/$(basename "$file")"
    done
    for file in "$PARTS"*.sources; do
        [ ! -f "$file" ] || sed "s/^Types:.*/Types: $1/" "$file" >"$apt/parts/$(basename "$file")"
    done
    apt_options=(
        -q -o APT::Sandbox::User="$(id -un)" -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$apt/parts"
        -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache"
    )
    apt-get "${apt_options[@]}" update
}

# fetch_source NAME VERSION: unpacks it in the current folder; its newest version when the archive has dropped that one.
fetch_source() {
    local apt_options
    private_apt deb-src &&
        { apt-get "${apt_options[@]}" source "$1=${2%+b[0-9]}" || apt-get "${apt_options[@]}" source "$1"; }
}

# The version that apt would install of a binary package now; empty where apt has no lists.
candidate() { LC_ALL=C apt-cache policy "$1" | awk '/Candidate:/ && $2 != "(none)" {print $2}'; }

# --- rebuilding -------------------------------------------------------------------------------------------------

# NAME → the folder of what was rebuilt, as this checkout wants it
declare -A made=()

intact() { [ -f "$1/files.sha256" ] && (cd "$1" && sha256sum --status -c files.sha256) 2>/dev/null; }

# rebuild NAME VERSION [KEY]: unless an intact folder was made of the same version by the same recipe; KEY is what else
# the result depends on. Without a known version (no apt lists) the newest that the recipe made counts as current.
rebuild() {
    local name=$1 version=$2 recipe folder pc
    recipe=$({ declare -f "recipe_$name"; printf '%s' "${3:-}"; } | sha256sum | cut -c1-12)
    [ -n "$version" ] || version=$(newest_version "$name" "$recipe")
    folder=$deps/$name-$version-$recipe
    intact "$folder" || build_source "$name" "$version" "$folder"
    made[$name]=$folder
    for pc in "$folder"/lib/pkgconfig/*.pc; do ln -sfn "$pc" "$deps/lib/pkgconfig/"; done
}

newest_version() {
    local folder
    folder=$(find "$deps" -maxdepth 1 -name "$1-*-$2" | sort -V | tail -n 1)
    folder=${folder##*/"$1"-}
    printf '%s' "${folder%-"$2"}"
}

# build_source NAME VERSION FOLDER: in a scratch folder that becomes FOLDER when all went well.
build_source() {
    local name=$1 version=$2 folder=$3 work failed=$deps/$1.failed.log
    say "rebuilding $name $version from Debian's source (once, about a minute)"
    work=$(mktemp -d "$deps/.build-$name-XXXXXX")
    if ! (
        cd "$work" && fetch_source "$name" "$version" && cd "$name"-*/ && "recipe_$name" "$folder" "$work/stage"
    ) >"$work/build.log" 2>&1 </dev/null; then
        mv -f -- "$work/build.log" "$failed"
        tail -n 20 "$failed" >&2
        rm -rf -- "$work"
        die "rebuilding $name failed; the whole log is $failed" \
            "If the source could not be fetched: is there a network, and does apt name a Debian mirror?" \
            "Otherwise the last lines above say why; ./dev deps tries again."
    fi
    local stage=$work/stage$folder
    mv -- "$work/build.log" "$stage/build.log"
    (cd "$stage" && find . -type f -print0 | sort -z | xargs -0 sha256sum) >"$work/files.sha256"
    mv -- "$work/files.sha256" "$stage/files.sha256"
    rm -rf -- "$folder" "$failed"
    mv -- "$stage" "$folder"
    rm -rf -- "$work"
}

# What no checkout has used for a month goes.
forget_unused() {
    find "$deps" -maxdepth 1 -type d -name '*-*-*' -mtime +30 -exec rm -rf -- {} +
    find "$deps" -maxdepth 1 -type f -name 'checked-*' -mtime +30 -delete
}

# Newer systems may have the switches: then their own libraries serve, and nothing is rebuilt.
system_has_quic() {
    pkg-config --exists wolfssl libngtcp2_crypto_wolfssl &&
        echo 'WOLFSSL_QUIC' | cc -E -include wolfssl/options.h - 2>/dev/null | tail -n 1 | grep -qv WOLFSSL_QUIC
}

# Where pkg-config finds what was rebuilt. Builds configured against something else are set up afresh.
deps_pkg_config_path() {
    local name path=
    for name in wolfssl ngtcp2 luajit2; do path+=${made[$name]:+${made[$name]}/lib/pkgconfig:}; done
    printf '%s' "${path%:}"
}

# Changes whenever the answer of deps_ensure may: the recipes, the installed packages, the lists of apt.
deps_state() {
    cat .ci/deps.sh .ci/patches/*
    stat -c '%n %y' /var/lib/dpkg/status /var/lib/apt/lists
}

# deps_ensure: afterwards all packages are installed, and `made` says where the rebuilt libraries are.
deps_ensure() {
    local checked state name
    checked=$deps/checked-$(printf '%s' "$here" | sha256sum | cut -c1-12)
    state=$(deps_state 2>/dev/null | sha256sum)
    ! recall "$checked" "$state" || return 0
    check_system
    install_packages "${packages[@]}"
    mkdir -p "$deps/lib/pkgconfig" ||
        die "the dependency prefix $deps cannot be made; GODWIT_DEPS names another place"
    exec 9>"$deps/lock"
    flock 9
    rm -rf -- "$deps"/.build-*
    made=()
    if ! system_has_quic; then
        rebuild wolfssl "$(candidate libwolfssl-dev)"
        rebuild ngtcp2 "$(dpkg-query -W -f '${Version}' libngtcp2-dev)" "${made[wolfssl]} $(cat .ci/patches/ngtcp2-*)"
    fi
    rebuild luajit2 "$(candidate libluajit2-5.1-dev)" "$(cat .ci/patches/luajit2-*)"
    state=$(deps_state | sha256sum)
    { printf '%s\n' "$state" && for name in "${!made[@]}"; do printf '%s %s\n' "$name" "${made[$name]}"; done; } >"$checked"
    forget_unused
    exec 9>&-
}

# recall CHECKED STATE: what the last check of this checkout found, if nothing that it depends on has changed.
recall() {
    local line name folder
    [ -f "$1" ] || return 1
    made=()
    while read -r name folder; do
        intact "$folder" || return 1
        touch -c -- "$folder"
        made[$name]=$folder
    done < <(tail -n +2 "$1")
    read -r line <"$1"
    [ "$line" = "$2" ] && touch -c -- "$1"
}

# promtool checks the metrics text. Only the tool is unpacked: its package would start a daemon.
deps_test_tools() {
    local tool=$deps/promtool/bin work
    export PATH=$tool:$PATH
    ! command -v promtool >/dev/null || return 0
    say "fetching promtool, for the tests of the metrics (once)"
    work=$(mktemp -d)
    if (cd "$work" && fetch_promtool) >"$work/log" 2>&1 </dev/null; then
        mkdir -p "$tool"
        cp -- "$work/root/usr/bin/promtool" "$tool/promtool.new"
        mv -- "$tool/promtool.new" "$tool/promtool"
    else
        tail -n 3 "$work/log" >&2
        say "promtool cannot be fetched: the tests that need it are skipped"
    fi
    rm -rf -- "$work"
}

fetch_promtool() {
    local apt_options
    private_apt deb && apt-get "${apt_options[@]}" download prometheus && dpkg-deb -x prometheus_*.deb root
}
