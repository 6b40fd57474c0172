"""A test that waits for what never comes."""

import time

from marvin.cloudstackTestCase import cloudstackTestCase
from nose.plugins.attrib import attr


class TestHangs(cloudstackTestCase):
    @attr(tags=["advanced"], required_hardware="false")
    def test_that_waits(self):
        time.sleep(600)
