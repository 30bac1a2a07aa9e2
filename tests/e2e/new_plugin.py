#!/usr/bin/env python3
"""What `godwit new plugin` makes builds and passes its own test, far from our sources, with what is installed alone."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import harness
from harness import OK, USAGE

BUILD = pathlib.Path(os.environ["BUILD"])
MESON = os.environ.get("MESON", "meson")


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


def installed(folder):
    """The environment of somebody who has installed what plugin authors need, and nothing else of ours."""
    run(MESON, "install", "-C", BUILD, "--no-rebuild", "--tags", "devel,plugin-sdk", "--destdir", folder)
    [found] = folder.rglob("pkgconfig/godwit-plugin.pc")
    library = next(folder.rglob("libgodwit-plugin-test.so")).parent
    return {**os.environ, "PKG_CONFIG_PATH": str(found.parent), "PKG_CONFIG_SYSROOT_DIR": str(folder),
            "LD_LIBRARY_PATH": str(library)}


def test_a_new_plugin_of_every_kind_builds_and_passes_its_test():
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch)
        environment = installed(root / "system")
        for language in ["c", "cpp"]:
            for kind in ["handler", "router", "auth", "strategy", "codec", "store"]:
                name = f"my_{kind}"
                harness.run("new", "plugin", name, "--in", root / language, "--lang", language, "--kind", kind).expect(OK)
                folder = root / language / name
                assert (folder / ".gitignore").read_text() == "/build*/\n"
                run(MESON, "setup", "build", "--werror", cwd=folder, env=environment)
                run("ninja", "-C", "build", cwd=folder, env=environment)
                run(MESON, "test", "-C", "build", cwd=folder, env=environment)
                told = harness.run("plugin", "inspect", folder / "build" / f"{name}.so", "--json").expect(OK).json
                assert told["name"] == name and told["kinds"] == [kind] and told["can_unload"], told
                shutil.rmtree(folder)


def test_nothing_is_overwritten_and_names_are_checked():
    with tempfile.TemporaryDirectory() as scratch:
        harness.run("new", "plugin", "mine", "--in", scratch).expect(OK)
        assert "exists already" in harness.run("new", "plugin", "mine", "--in", scratch).expect(USAGE).err
        for name in ["Mine", "a/b", "", "1st", "a-b", "x" * 64]:
            harness.run("new", "plugin", name, "--in", scratch).expect(USAGE)


if __name__ == "__main__":
    harness.main(globals())
