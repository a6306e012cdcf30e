"""The rules that read names, words and paths can fail."""

from rules import clocks, host_words, house, names, thin
from tests.planted import PlantedTree

HTTP = "crates/spikard-http/src"


class Names(PlantedTree):
    rule = names

    def test_a_file_that_says_nothing(self):
        self.assert_breaks({"crates/a/src/http_utils.rs": ""}, "'http_utils.rs' is named 'utils'")
        self.assert_breaks({"packages/python/common/a.py": ""}, "'common' is named 'common'")

    def test_a_type_that_says_nothing(self):
        self.assert_breaks(
            {"crates/a/src/lib.rs": "struct RouteManager;"}, "lib.rs:1: RouteManager: a type named 'manager'"
        )
        self.assert_breaks({"packages/python/a.py": "class BaseApp: ..."}, "a type named 'base'")
        self.assert_breaks({"crates/a/src/lib.rs": "pub(crate) type Data = u8;"}, "a type named 'data'")
        self.assert_holds(
            {"crates/a/src/lib.rs": "// struct RouteManager;\nstruct Database;\nimpl B { type Data = u8; }"}
        )
        self.assert_holds({"packages/python/tests/test_a.py": "class Data: ..."})

    def test_numbers_and_versions(self):
        self.assert_breaks({"crates/a/src/part2.rs": ""}, "'part2.rs' is numbered")
        self.assert_breaks({"crates/a/src/router_v2.rs": ""}, "carries a version")
        self.assert_breaks({"crates/a/src/lib.rs": "struct RouterV2;"}, "carries a version")
        self.assert_holds({"crates/a/src/http2.rs": "", "testing_data/http/is-422.json": "{}"})


class HostWords(PlantedTree):
    rule = host_words

    def test_a_word_of_a_language(self):
        self.assert_breaks({"crates/spikard-core/src/lib.rs": "\n// as Python does"}, "lib.rs:2: says 'Python'")
        self.assert_breaks({f"{HTTP}/server/a.rs": "fn php() {}"}, "says 'php'")
        self.assert_breaks({"crates/spikard-ffi/Cargo.toml": "pyo3 = '1'"}, "says 'pyo3'")

    def test_part_of_a_word_and_other_crates(self):
        self.assert_holds({f"{HTTP}/a.rs": "let node = morphphp;", "crates/spikard-py/src/lib.rs": "// Python"})


class Clocks(PlantedTree):
    rule = clocks

    def test_a_clock_by_path_and_by_use(self):
        self.assert_breaks({f"{HTTP}/a.rs": "let now = std::time::Instant::now();"}, "names std::time::Instant")
        self.assert_breaks(
            {f"{HTTP}/a.rs": "use std::{fmt, time::{Duration, SystemTime}};"}, "names std::time::SystemTime"
        )
        self.assert_breaks({f"{HTTP}/a.rs": "use tokio::{sync, time as t};"}, "names tokio::time")
        self.assert_breaks({f"{HTTP}/a.rs": "tokio :: spawn(f)"}, "names tokio::spawn")
        self.assert_breaks({"crates/spikard-core/src/a.rs": "use std::fs;"}, "names std::fs")

    def test_what_may_name_them(self):
        bad = "use std::time::Instant;"
        tests = f"#[cfg(test)]\nmod tests {{ {bad} }}"
        self.assert_holds({f"{HTTP}/platform.rs": bad, f"{HTTP}/server/accept.rs": bad, f"{HTTP}/a.rs": tests})
        self.assert_holds({f"{HTTP}/a.rs": '// std::fs\nuse std::time::Duration;\nlet text = "std::fs::read";'})


class House(PlantedTree):
    rule = house

    def test_headers(self):
        self.assert_breaks({"crates/a/src/lib.rs": "use a;"}, "opens without a line")
        self.assert_breaks({"packages/python/a.py": "import a"}, "opens without a line")
        self.assert_breaks({"tools/a.py": '"""\n' + "x\n" * 6 + '"""'}, "opens with 6 lines")
        self.assert_holds({"crates/a/src/lib.rs": "//! A.\n", "packages/python/__init__.py": ""})

    def test_unsafe_says_why(self):
        self.assert_breaks({"crates/a/src/lib.rs": "//! A.\nfn f() { unsafe { g() } }"}, "without a SAFETY comment")
        above = "//! A.\n// SAFETY: no other thread.\n#[inline]\nunsafe impl Send for A {}\n"
        inside = "fn f() {\n    // SAFETY: checked\n    // above.\n    let a =\n        unsafe { g() };\n}\n"
        self.assert_holds({"crates/a/src/lib.rs": above + inside})

    def test_allow_says_why(self):
        self.assert_breaks(
            {"crates/a/src/lib.rs": "//! A.\n#[allow(dead_code)]\nfn f() {}"}, "an allow without a reason"
        )
        self.assert_holds({"crates/a/src/lib.rs": '//! A.\n#[allow(dead_code, reason = "x")]\nfn f() {}'})
        self.assert_breaks({"packages/python/a.py": '"""A."""\na = 1  # type: ' + "ignore"}, "without a code")

    def test_errors_are_types(self):
        self.assert_breaks(
            {"crates/a/src/lib.rs": "//! A.\nfn f() -> Result<Vec<u8>, String>;"}, "an error that is a text"
        )

    def test_places_hosts_stubs_and_binaries(self):
        self.assert_breaks({"README.md": "see /ho" + "me/me/x"}, "a path of one machine")
        self.assert_breaks({"README.md": "from py" + "pi.org"}, "a registry's host")
        self.assert_breaks({"crates/a/src/lib.rs": "//! A.\nfn f() { to" + "do!() }"}, "leaves work open")
        self.assert_breaks({"logo.png": "\0\1"}, "is a binary")
        self.assert_holds({"README.md": "GET /api/work/1, target/root"})


class Thin(PlantedTree):
    rule = thin
    TABLES = {
        "crates/spikard-core/src/error.rs": '    NotFound = NOT_FOUND, "Not Found";\n',
        "crates/spikard-core/src/words.rs": '    IntParsing = "int_parsing", "…";\n    ValueError = "value_error", "{error}";\n',
        "crates/spikard-core/src/config.rs": "pub struct Config {\n    pub max_body_size: Option<u64>,\n}\n",
    }

    def found_in(self, text: str, *messages: str) -> None:
        self.assert_breaks({**self.TABLES, "packages/js/src/a.ts": text}, *messages)

    def test_an_error_is_worded_elsewhere(self):
        self.found_in('throw refused("int_parsing");', "words an error: 'int_parsing'")
        self.found_in("\nconst title = `Not Found`;", "a.ts:2: words an error: 'Not Found'")
        self.found_in('const type = "https://spikard.dev/errors/x";', "names the type of an error")
        self.found_in('const type = "value_error";')

    def test_a_default_is_given_elsewhere(self):
        self.found_in("const size = config.maxBodySize ?? 10;", "says what maxBodySize is")
        self.found_in("function limit(maxBodySize = 10) {}", "says what maxBodySize is")
        self.found_in("if (options.maxBodySize === undefined) give({ maxBodySize: null });")
