package org.notifypr;

/** The steps that a report takes, in their order. */
public enum Stage {
    /** Which files become which objects of the store. */
    PLAN(1),
    /** Which pull request the commit belongs to. */
    FIND(2),
    /** The files go to the store. */
    UPLOAD(3),
    /** The comment is written. */
    COMPOSE(4),
    /** The pages that lead to the files go to the store. */
    PUBLISH(5),
    /** The comment goes to the pull request. */
    POST(6),
    /** A step that a later version of the library has added. */
    OTHER(-1);

    private final int number;

    Stage(int number) {
        this.number = number;
    }

    /** Returns the number that the step has in {@code notify_pr.h}. */
    public int number() {
        return number;
    }

    static Stage of(int number) {
        for (Stage stage : values()) {
            if (stage.number == number) {
                return stage;
            }
        }
        return OTHER;
    }
}
