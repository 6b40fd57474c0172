package org.notifypr;

/**
 * How a call ended. The numbers are those of {@code notify_pr.h} and the exit statuses of the
 * {@code notify_pr} command.
 */
public enum Status {
    /** Everything that was asked for was done. */
    OK(0),
    /** An argument that has to be there was not. */
    NULL_ARGUMENT(1),
    /** A text cannot be written as UTF-8, or holds a NUL. */
    BAD_TEXT(2),
    /** A setting is unknown, missing or impossible. */
    BAD_SETTING(3),
    /** A call came in the wrong order, such as a second submit. */
    MISUSE(4),
    /** A file that the submission cannot do without could not be read. */
    BAD_FILE(10),
    /** The local disk could not be written. */
    DISK(11),
    /** What was to be published held one of our own secrets, so nothing was. */
    SECRET_FOUND(12),
    /** The store could not be reached. */
    STORE_UNREACHABLE(20),
    /** The store refused: credentials, rights, or a container that does not exist. */
    STORE_REFUSED(21),
    /** Some of what was to be stored was not stored; the comment was made all the same. */
    STORE_PARTIAL(22),
    /** GitHub could not be reached. */
    GITHUB_UNREACHABLE(30),
    /** GitHub refused: token, rights, a locked pull request or an archived repository. */
    GITHUB_REFUSED(31),
    /** GitHub asked to wait for longer than the budget of time allows. */
    GITHUB_BUSY(32),
    /** No pull request belongs to the commit. */
    NO_PULL_REQUEST(33),
    /** More than one commit or pull request fits. */
    AMBIGUOUS(34),
    /** A setting such as on_closed forbids the comment. */
    REFUSED_BY_POLICY(35),
    /** The submission was cancelled: by {@link Report#cancel}, an interrupt, or the listener. */
    CANCELLED(40),
    /** The report was set aside for a later submission. */
    QUEUED(41),
    /** A budget of time ran out. */
    TIMEOUT(42),
    /** A bug in notify_pr. The report may still be closed, and other reports go on. */
    INTERNAL(50),
    /** A number that a later version of the library has added. */
    OTHER(-1);

    private final int number;

    Status(int number) {
        this.number = number;
    }

    /** Returns the number, which is also the exit status of the command. */
    public int number() {
        return number;
    }

    static Status of(int number) {
        for (Status status : values()) {
            if (status.number == number) {
                return status;
            }
        }
        return OTHER;
    }
}
