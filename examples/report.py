"""Reports a run in the folder where it left its files: python3 report.py run.ini COMMIT [FILE...]"""

import sys

from notify_pr import NotifyPrError, Progress, Report


def show(progress: Progress) -> None:
    print(
        f"\r{progress.stage.name.lower():8} {progress.files_done}/{progress.files} files",
        end="",
        file=sys.stderr,
        flush=True,
    )


def main() -> int:
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 3
    try:
        with Report.from_ini(sys.argv[1], commit=sys.argv[2]) as report:
            report.attach(*sys.argv[3:])
            report.attach_bytes("versions.txt", f"Python {sys.version}\n".encode())
            receipt = report.submit(progress=show)
    except NotifyPrError as error:
        print(f"\n{error}", file=sys.stderr)
        if error.receipt is not None and error.receipt.comment_url is not None:
            print(error.receipt.comment_url)
        return error.status
    print(file=sys.stderr)
    print(receipt.comment_url or receipt.status_text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
