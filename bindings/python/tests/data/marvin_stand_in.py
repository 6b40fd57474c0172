"""Does with nose what Apache CloudStack's MarvinPlugin does, without a cloud.

Its results.txt is never flushed or closed, and its finalize moves the folder away. MARVIN_DEPLOY
makes it end the process in configure, as Marvin does where a data center cannot be deployed.
"""

import logging
import os
import random
import shutil
import string
import sys
import time

import nose
import nose.core
from nose.plugins.base import Plugin


def random_name():
    return "".join(random.choice(string.ascii_uppercase + string.digits) for _ in range(6))


class MarvinPlugin(Plugin):
    name = "marvin"

    def options(self, parser, env):
        parser.add_option("--log-folder-path", dest="logFolder")
        super().options(parser, env)

    def configure(self, options, conf):
        self.enabled = bool(getattr(options, self.enableOpt))
        if not self.enabled:
            return
        self.logs = os.path.join(options.logFolder, "MarvinLogs")
        self.folder = os.path.join(
            self.logs, time.strftime("%b_%d_%Y_%H_%M_%S") + "_" + random_name()
        )
        os.makedirs(self.folder)
        if os.environ.get("MARVIN_DEPLOY") == "fails":
            sys.exit(1)
        with open(os.path.join(self.folder, "dc_entries.obj"), "w") as pickled:
            pickled.write("passwords of hosts")
        self.log = logging.getLogger("CSLog")
        self.log.setLevel(logging.DEBUG)
        self.log.addHandler(logging.FileHandler(os.path.join(self.folder, "runinfo.txt")))
        self.stream = open(os.path.join(self.folder, "results.txt"), "w")
        self.runner = nose.core.TextTestRunner(
            stream=self.stream, descriptions=True, verbosity=2, config=conf
        )
        self.test = None

    def beforeTest(self, test):
        self.test = str(test).split()[0]
        self.log.debug("STARTED : TC: %s", self.test)

    def write(self, status):
        self.stream.write("=== TestName: %s | Status : %s ===\n" % (self.test, status))

    def addSuccess(self, test, *_):
        self.write("SUCCESS")

    def handleError(self, test, err):
        self.write("EXCEPTION")

    def handleFailure(self, test, err):
        self.write("FAILED")

    def prepareTestRunner(self, runner):
        return self.runner

    def finalize(self, result):
        to = os.path.join(self.logs, "test_suite_" + random_name())
        shutil.move(self.folder, to)
        print("=== Final results are now copied to: %s ===" % to)


if __name__ == "__main__":
    nose.main(addplugins=[MarvinPlugin()])
