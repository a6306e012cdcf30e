"""Import directions can fail."""

from rules import directions
from tests.planted import PlantedTree


def workspace(**crates: str) -> dict[str, str]:
    """A workspace of crates, each with its dependencies."""
    files = {"Cargo.toml": '[workspace]\nresolver = "3"\nmembers = ["crates/*"]\n'}
    for name, dependencies in crates.items():
        folder = f"crates/{name.replace('_', '-')}"
        manifest = (
            f'[package]\nname = "{name.replace("_", "-")}"\nversion = "0.1.0"\nedition = "2024"\n[dependencies]\n'
        )
        files |= {f"{folder}/Cargo.toml": manifest + dependencies, f"{folder}/src/lib.rs": ""}
    return files


class Directions(PlantedTree):
    rule = directions

    def test_the_core_may_not_depend_on_the_boundary(self):
        files = workspace(spikard_core='spikard-ffi = { path = "../spikard-ffi" }', spikard_ffi="")
        self.assert_breaks(files, "spikard-core may not depend on spikard-ffi")

    def test_the_boundary_may_depend_on_the_core(self):
        self.assert_holds(workspace(spikard_ffi='spikard-core = { path = "../spikard-core" }', spikard_core=""))

    def test_a_binding_may_not_depend_on_another(self):
        files = workspace(spikard_py='spikard-node = { path = "../spikard-node" }', spikard_node="")
        self.assert_breaks(files, "spikard-py may not depend on spikard-node")

    def test_a_language_s_library_stands_in_one_crate(self):
        self.assert_breaks(workspace(spikard_http='pyo3 = "0.29"'), "spikard-http may not depend on pyo3")
        self.assert_holds(workspace(spikard_py='pyo3 = "0.29"'))

    def test_the_http_stack_stands_in_the_server(self):
        self.assert_breaks(workspace(spikard_py='hyper-util = "0.1"'), "spikard-py may not depend on hyper-util")
        self.assert_holds(workspace(spikard_http='hyper = "1"\ntower-service = "0.3"'))

    def test_the_boundary_knows_no_runtime(self):
        self.assert_breaks(workspace(spikard_ffi='tokio = "1"'), "spikard-ffi may not depend on tokio")

    def test_an_unknown_crate_has_no_place(self):
        self.assert_breaks(workspace(spikard_new=""), "spikard-new has no place")
