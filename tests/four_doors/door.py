"""Prints the receipt of a report, or all settings: door.py [INI ATTACHMENT NAME=VALUE...]"""

import sys

from notify_pr import NotifyPrError, Report, setting_names

if len(sys.argv) < 3:
    print(*setting_names(), sep="\n")
    sys.exit()
ini, attachment, *settings = sys.argv[1:]
with Report.from_ini(ini) as report:
    report.load_environment()
    for setting in settings:
        report.set(*setting.split("=", 1))
    report.attach(attachment)
    try:
        receipt, status = report.submit(), 0
    except NotifyPrError as error:
        receipt, status = error.receipt, int(error.status)
sys.stdout.buffer.write(receipt.json.encode() + b"\n")
sys.exit(status)
