"""Each folder includes only from itself and from the folders that its CMakeLists.txt names in USES, and from all of those.

Run by ctest with the source folder and the list that CMake wrote: a line "folder:name:used used…" a library.
"""

import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def read_layers(path):
    """Maps a folder to its library's name and the folders that it may include from."""
    libraries = [line.split(":") for line in pathlib.Path(path).read_text().splitlines() if line]
    folder_of = {name: folder for folder, name, _ in libraries}
    return {folder: {folder_of[used] for used in uses.split()} for folder, _, uses in libraries}


def folder_of(path, layers):
    """The layer a file belongs to: the longest folder of the list that holds it."""
    holding = [folder for folder in layers if path.startswith(folder + "/")]
    return max(holding, key=len, default=None)


def violations(root, layers):
    for folder, uses in layers.items():
        unused = set(uses)
        for source in sorted((root / folder).rglob("*.[ch]pp")):
            name = source.relative_to(root).as_posix()
            if folder_of(name, layers) != folder:
                continue
            for included in INCLUDE.findall(source.read_text()):
                target = folder_of(included, layers)
                unused.discard(target)
                if target is None:
                    yield f"{name}: {included} is not written from the repository's root, or in no layer"
                elif target != folder and target not in uses:
                    yield f"{name}: includes {included}, but {folder} does not name it in USES"
        for other in sorted(unused):
            yield f"{folder}: names {other} in USES, and no file includes from it"


def main():
    root, list_file = pathlib.Path(sys.argv[1]), sys.argv[2]
    layers = read_layers(list_file)
    found = list(violations(root, layers))
    print("\n".join(found) or f"{len(layers)} folders point one way")
    return 1 if found or not layers else 0


if __name__ == "__main__":
    sys.exit(main())
