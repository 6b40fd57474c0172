"""Failures whose texts are no text."""

import unittest


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class TestTexts(unittest.TestCase):
    def test_a_lone_surrogate_and_a_nul(self):
        self.fail("\udcff \0 ```")

    def test_mute(self):
        raise Mute

    def test_three(self):
        self.fail("an ordinary one")
