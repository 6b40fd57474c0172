package org.notifypr;

import java.util.Optional;

/**
 * A call on a report failed. The message says what was wrong, where, and what to do, and holds no
 * secrets. It is unchecked, because what a CI run does about a report that failed is mostly
 * nothing: the status is there for those who do.
 */
public final class NotifyPrException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int number;
    // A receipt is not serialized: it is lost with the process that submitted.
    private final transient Receipt receipt;

    NotifyPrException(int number, String message, Receipt receipt) {
        super(message);
        this.number = number;
        this.receipt = receipt;
    }

    NotifyPrException(Status status, String message) {
        this(status.number(), message, null);
    }

    /** Returns what kind of failure it is. */
    public Status status() {
        return Status.of(number);
    }

    /** Returns the number of the status, also of one that {@link Status} does not know. */
    public int number() {
        return number;
    }

    /**
     * Returns what was done in spite of the failure; empty if it was not a submission that failed.
     * With {@link Status#STORE_PARTIAL} the comment was made and names what is missing.
     */
    public Optional<Receipt> receipt() {
        return Optional.ofNullable(receipt);
    }
}
