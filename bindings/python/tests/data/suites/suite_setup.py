"""A class whose setup breaks."""

from marvin.cloudstackTestCase import cloudstackTestCase
from nose.plugins.attrib import attr


class TestSetup(cloudstackTestCase):
    @classmethod
    def setUpClass(cls):
        raise RuntimeError("no such zone")

    @attr(tags=["advanced"], required_hardware="false")
    def test_never(self):
        pass
