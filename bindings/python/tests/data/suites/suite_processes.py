"""What nose hands out to processes of its own: a batch for each class or test."""

import glob
import os
import shutil
import tempfile
import unittest


def told(*below):
    return glob.glob(os.path.join(tempfile.gettempdir(), "notify_pr-*", *below))


# nose imports this before it starts a process.
if os.environ.get("SUITE") == "removes":
    for path in told():
        shutil.rmtree(path)


class TestFirst(unittest.TestCase):
    def test_passes(self):
        if os.environ.get("SUITE") == "hides":
            for path in told("*"):
                os.remove(path)

    def test_passes_too(self):
        pass

    def test_fails(self):
        self.assertEqual("detached", "attached")


class TestSecond(unittest.TestCase):
    def test_breaks(self):
        raise RuntimeError("the agent is gone")

    def test_is_skipped(self):
        raise unittest.SkipTest("no second host")

    def test_zzz_ends_its_process(self):
        if os.environ.get("SUITE") == "ends":
            os._exit(0)


class TestSetup(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise RuntimeError("no zone")

    def test_never_begins(self):
        pass
