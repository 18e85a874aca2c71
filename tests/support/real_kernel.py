"""A stick as a real kernel has it: vfat in user-mode-linux, where the kernel of this machine lacks it."""

import shutil
import subprocess
from pathlib import Path

from .airgap import Result
from .process import Unavailable

_SCRIPT = Path(__file__).with_name("real_kernel")
_NOT_BOOTED = 125
_TIMEOUT = 300.0


class FatStick:
    """An image file of so many megabytes, formatted as FAT32. Raises Unavailable with the reason."""

    def __init__(self, directory: Path, megabytes: int) -> None:
        if shutil.which("linux.uml") is None:
            raise Unavailable("user-mode-linux is not installed")
        self.directory = directory
        self.image = directory / "stick.img"
        with open(self.image, "wb") as image:
            image.truncate(megabytes << 20)
        subprocess.run(["mkfs.vfat", "-F", "32", str(self.image)], check=True, capture_output=True,
                       env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})

    def run(self, script: str, environment: dict[str, str]) -> Result:
        """Runs the script of bash in a kernel that has the stick at /mnt."""
        file = self.directory / "script"
        file.write_text(script)
        command = [str(_SCRIPT), str(self.image), str(self.directory), str(file)]
        kernel = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            out, err = kernel.communicate(timeout=_TIMEOUT)
        except subprocess.TimeoutExpired:
            kernel.terminate()  # it stops the kernel, too
            kernel.communicate()
            raise
        if kernel.returncode == _NOT_BOOTED:
            raise Unavailable(f"no kernel boots here: {err[-500:]}")
        return Result(command, kernel.returncode, out, err)

    def needs_repair(self) -> str:
        """What fsck finds; empty when it is clean."""
        checked = subprocess.run(["fsck.vfat", "-n", str(self.image)], capture_output=True, text=True,
                                 env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        return "" if checked.returncode == 0 else checked.stdout
