"""FAT32 as a kernel has it, with its clusters, its names and its full disk: in a kernel of the test's own."""

import random
from pathlib import Path

import pytest
from conftest import MakeRegistry

from support.airgap import Airgap, Result, executable
from support.oci import image, push, tar_layer
from support.ports import free_port
from support.preload import preloading
from support.process import Unavailable
from support.real_kernel import FatStick
from support.registry import Registry

LAYERS = [{f"file-{seed}": random.Random(seed).randbytes(5_000_000)} for seed in range(70, 73)]  # 15 MB


class Inside:
    """The registry and the programs in that kernel, as a script calls them."""

    def __init__(self, directory: Path, airgap: Airgap, storage: Path) -> None:
        self._airgap = airgap
        self._directory = directory
        self._registry = Registry(directory / "registry", storage=storage, read_only=True, port=free_port())

    def run(self, stick: FatStick, script: str) -> Result:
        host = self._registry.host
        start = f"""
docker-registry serve {self._registry.directory}/config.yml > {self._registry.directory}/log 2>&1 &
for i in $(seq 300); do curl -sf http://{host}/v2/ > /dev/null && break; sleep 0.1; done
export_="{executable('airgap-export')}"
import_="{executable('airgap-import')}"
pull() {{ "$export_" pull {host}/team/large:1 --plain-http {host} --no-referrers "$@"; }}
"""
        try:
            return stick.run(start + script, self._airgap.environment())
        except Unavailable as reason:
            pytest.skip(str(reason))


@pytest.fixture
def inside(airgap: Airgap, make_registry: MakeRegistry, tmp_path: Path) -> Inside:
    filled = make_registry()
    push(filled.client(), "team/large", "1", image([tar_layer(files) for files in LAYERS]))
    filled.stop()
    assert filled.storage is not None
    return Inside(tmp_path, airgap, filled.storage)


def stick_of(directory: Path, megabytes: int) -> FatStick:
    try:
        return FatStick(directory, megabytes)
    except Unavailable as reason:
        pytest.skip(str(reason))


def test_every_form_goes_there_and_back_and_leaves_nothing_to_repair(inside: Inside, tmp_path: Path) -> None:
    stick = stick_of(tmp_path, 100)
    done = inside.run(stick, """
pull --output /mnt/directory/ --verify-media full
pull --output /mnt/one.tar --verify-media full
pull --output /mnt/packed.tar.zst --verify-media full
pull --output /mnt/set.tar --volume-size 6MB --verify-media full
umount /mnt
mount -t vfat -o ro /dev/ubda /mnt
for bundle in directory/ one.tar packed.tar.zst set.tar; do "$import_" verify /mnt/$bundle; done
""").ok()
    assert done.err.count("the medium holds what was written") == 4  # that kernel's disk is no stick
    assert ": vfat, " in done.err
    assert stick.needs_repair() == ""


def test_a_killed_run_goes_on_where_hardly_any_room_is_left(inside: Inside, tmp_path: Path) -> None:
    """FAT has no holes: what was begun far behind takes up all that lies before it."""
    stick = stick_of(tmp_path, 36)
    library = preloading(tmp_path, "killed_calls.c")["LD_PRELOAD"]
    inside.run(stick, f"""
for step in 40 80 160 320 640; do
  if LD_PRELOAD={library} AIRGAP_KILL_AT=$step pull --output /mnt/one.tar; then exit 1; fi
  if [ "$(stat -c %s /mnt/one.tar.partial)" -gt 6000000 ]; then break; fi
done
test ! -e /mnt/one.tar
pull --output /mnt/one.tar --verify-media full
"$import_" verify /mnt/one.tar
""").ok()
    assert stick.needs_repair() == ""


def test_no_zeros_are_written_before_the_layers(inside: Inside, tmp_path: Path) -> None:
    stick = stick_of(tmp_path, 64)
    done = inside.run(stick, """
echo 4000000 > /proc/sys/vm/dirty_bytes
written() { sync; awk '{ print $7 * 512 }' /sys/block/ubda/stat; }
before=$(written)
pull --output /mnt/one.tar --jobs 4
echo $(($(written) - before)) $(stat -c %s /mnt/one.tar)
""").ok()
    written, length = map(int, done.out.split()[-2:])
    assert length > 15_000_000
    assert written < 1.1 * length
