"""Does with nose what Marvin's plugin does, in the same order.

Its results.txt is never flushed or closed, and its finalize moves the folder away. MARVIN_DEPLOY
makes it end the process in configure, as Marvin does where a data center cannot be deployed.
"""

import logging
import os
import random
import string
import sys
import time

import nose.core
from marvin.cloudstackTestCase import cloudstackTestCase
from nose.plugins.base import Plugin


def random_name():
    return "".join(random.choice(string.ascii_uppercase + string.digits) for _ in range(6))


class MarvinPlugin(Plugin):
    name = "marvin"

    def options(self, parser, env):
        parser.add_option("--marvin-config", dest="configFile", default=env.get("MARVIN_CONFIG"))
        parser.add_option("--deploy", action="store_true", default=False, dest="deployDc")
        parser.add_option("--zone", dest="zone")
        parser.add_option("--hypervisor", dest="hypervisor_type")
        parser.add_option("--log-folder-path", dest="logFolder", default="/tmp")
        Plugin.options(self, parser, env)

    def configure(self, options, conf):
        self.enabled = bool(getattr(options, self.enableOpt))
        if not self.enabled:
            return
        self.logs = os.path.join(options.logFolder, "MarvinLogs")
        self.folder = os.path.join(
            self.logs, time.strftime("%b_%d_%Y_%H_%M_%S") + "_" + random_name()
        )
        os.makedirs(self.folder)
        print("\n==== Log Folder Path: %s All logs will be available here ====" % self.folder)
        if os.environ.get("MARVIN_DEPLOY") == "fails":
            sys.exit(1)
        with open(os.path.join(self.folder, "dc_entries.obj"), "w") as pickled:
            pickled.write("passwords of hosts")
        self.log = logging.getLogger("CSLog")
        self.log.setLevel(logging.DEBUG)
        for name, level in (
            ("runinfo.txt", logging.DEBUG),
            ("failed_plus_exceptions.txt", logging.FATAL),
        ):
            handler = logging.FileHandler(os.path.join(self.folder, name))
            handler.setLevel(level)
            handler.setFormatter(logging.Formatter("%(asctime)s - %(levelname)s - %(message)s"))
            self.log.addHandler(handler)
        self.stream = open(os.path.join(self.folder, "results.txt"), "w")
        self.runner = nose.core.TextTestRunner(
            stream=self.stream, descriptions=True, verbosity=2, config=conf
        )
        self.whole = ""
        self.test = None

    def wantClass(self, cls):
        if cls.__name__ == "cloudstackTestCase":
            return False
        return True if issubclass(cls, cloudstackTestCase) else None

    def beforeTest(self, test):
        self.whole = str(test)
        self.test = self.whole.split()[0]

    def startTest(self, test):
        self.log.debug(":::: STARTED : TC: %s ::::", self.test)

    def say(self, status, error=""):
        if error:
            self.log.fatal("%s: %s: %s", status, self.test, error)
        line = "=== TestName: %s | Status : %s ===\n" % (self.test, status)
        self.stream.write(line)
        print(line)

    def addSuccess(self, test, capt):
        self.say("SUCCESS")

    def handleError(self, test, err):
        self.say("EXCEPTION", err)

    def handleFailure(self, test, err):
        self.say("FAILED", err)

    def prepareTestRunner(self, runner):
        return self.runner

    def finalize(self, result):
        names = self.whole.split(".")
        module = names[-2] if len(names) > 2 else "test_suite"
        to = "%s/%s_%s" % (self.logs, module, random_name())
        os.system("mv '%s' '%s'" % (self.folder, to))
        print("=== Final results are now copied to: %s ===" % to)
