"""A test that does not come back."""

import os
import signal

from marvin.cloudstackTestCase import cloudstackTestCase
from nose.plugins.attrib import attr


class TestKilled(cloudstackTestCase):
    @attr(tags=["advanced"], required_hardware="false")
    def test_that_kills(self):
        os.kill(os.getpid(), signal.SIGKILL)
