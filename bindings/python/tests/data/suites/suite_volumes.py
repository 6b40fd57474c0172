"""One test of each kind, as a suite of CloudStack's has them."""

import os
import unittest

from marvin.cloudstackTestCase import cloudstackTestCase
from nose.plugins.attrib import attr


class TestVolumes(cloudstackTestCase):
    @attr(tags=["advanced", "basic"], required_hardware="false")
    def test_attach(self):
        """Attaches a volume"""

    @attr(tags=["advanced"], required_hardware="false")
    def test_detach(self):
        self.assertEqual("detached", "attached")

    @attr(tags=["advanced"], required_hardware="false")
    def test_error(self):
        raise RuntimeError("the agent is gone")

    @attr(tags=["advanced"], required_hardware="true")
    def test_hardware(self):
        raise RuntimeError("it asks for a real host")

    @attr(tags=["advanced"], required_hardware="false")
    def test_skipped(self):
        raise unittest.SkipTest("no second host")

    @attr(tags=["advanced"], required_hardware="false")
    def test_zzz_last(self):
        if os.environ.get("SUITE") == "moves":
            os.chdir("/")
