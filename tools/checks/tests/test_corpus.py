"""The rules about the corpus and the tables that it covers can fail."""

import json

from rules import corpus, settings, vocabulary
from tests.planted import PlantedTree

ERRORS = 'codes! {\n    NotFound = NOT_FOUND, "Not Found";\n    Validation = X, "Request";\n    Raised = X, "R";\n}\n'
WORDS = 'words! {\n    Missing = "missing", "Field required";\n}\n'
TABLES = {"crates/spikard-core/src/error.rs": ERRORS, "crates/spikard-core/src/words.rs": WORDS}


def case(*bodies: object, config: dict[str, object] | None = None, script: object = None) -> str:
    """A case that expects these bodies."""
    app = {"routes": [{"script": script or {}}], "config": config or {}}
    return json.dumps({"app": app, "exchanges": [{"expect": {"body": body}} for body in bodies]})


class Vocabulary(PlantedTree):
    rule = vocabulary

    def test_a_row_without_a_case(self):
        self.assert_breaks(TABLES, "NotFound: no case", "Validation: no case", "Raised: no case", "'missing'")

    def test_every_row_with_one(self):
        met = case(
            {"type": "x/errors/not-found"},
            {"type": "x/errors/validation-error", "errors": [{"type": "missing"}]},
            script={"raise": {"http": {"status": 418}}},
        )
        self.assert_holds({**TABLES, "testing_data/http/a/met.json": met})

    def test_a_table_that_cannot_be_read(self):
        self.assert_breaks({"crates/spikard-core/src/error.rs": "", "crates/spikard-core/src/words.rs": ""}, "no row")


class Settings(PlantedTree):
    rule = settings
    config = {
        "crates/spikard-core/src/config.rs": "pub struct Config {\n    pub port: u16,\n    #[serde(flatten)]\n"
        "    pub host_side: HostSide,\n}\npub struct HostSide { \n    pub threads: usize,\n}\n"
    }

    def test_a_field_without_a_test(self):
        self.assert_breaks(self.config, "config.rs:2: port: neither", "config.rs:7: threads: neither")

    def test_a_case_and_a_mark(self):
        covered = {
            "testing_data/http/a/b.json": case(config={"port": 0}),
            "crates/a/tests/b.rs": "// covers config: threads",
        }
        self.assert_holds({**self.config, **covered})

    def test_a_mark_for_no_field(self):
        marked = {"crates/a/tests/b.rs": "// covers config: threads, port, ports"}
        self.assert_breaks({**self.config, **marked}, "ports, which is no field")


class Corpus(PlantedTree):
    rule = corpus
    driver = "packages/python/tests/conformance/test_corpus.py"

    def test_a_driver_past_the_front_door(self):
        self.assert_breaks(
            {self.driver: "from spikard._spikard import Service\n"}, "past the public API: spikard._spikard"
        )
        self.assert_breaks({self.driver: "from spikard import App, _native\n"}, "past the public API")
        self.assert_holds({self.driver: "from spikard import Spikard\n"})

    def test_what_is_expected_beside_the_script(self):
        told = "def handler(case):\n    return case['expect'] if case['script'] else None\n"
        self.assert_breaks({self.driver: told}, "reads both a script and what is expected")
        apart = "def handler(route):\n    return route['script']\n\ndef compare(answer, exchange):\n    exchange['expect']\n"
        self.assert_holds({self.driver: apart})

    def test_rust_reads_them_apart_too(self):
        path = "crates/spikard-http/tests/conformance/main.rs"
        self.assert_breaks({path: 'fn f(c: &Case) { c.expect.status; c["script"]; }'}, "f: reads both")
        self.assert_holds({path: 'fn f(c: &Case) { c["script"].get(0).expect("there is one"); }'})
        self.assert_breaks({"crates/spikard-py/tests/conformance/main.rs": ""}, "only spikard-http's driver")
