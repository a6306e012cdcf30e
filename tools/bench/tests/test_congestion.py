"""The congestion control of a measurement is given back."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from unittest import mock

import congestion


class Congestion(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.setting = Path(folder.name) / "setting"
        self.setting.write_text("bbr\n")
        patch = mock.patch.object(congestion, "SETTING", self.setting)
        patch.start()
        self.addCleanup(patch.stop)

    def test_it_is_the_usual_one_until_the_end_however_that_comes(self):
        with self.assertRaises(SystemExit), congestion.usual():
            self.assertEqual(congestion.current(), "cubic")
            raise SystemExit
        self.assertEqual(congestion.current(), "bbr")

    def test_where_there_is_none_nothing_is_set(self):
        self.setting.unlink()
        with mock.patch.object(Path, "write_text", side_effect=PermissionError), congestion.usual():
            self.assertEqual(congestion.current(), "not told")
