package org.notifypr;

/** Sees how far a submission is. */
@FunctionalInterface
public interface ProgressListener {
    /**
     * Is called on the submitting thread, at least every 200 milliseconds in every step. What it
     * throws cancels the submission and is thrown by {@link Report#submit(ProgressListener)};
     * {@link Report#cancel} cancels it too.
     *
     * @param progress how far the submission is
     */
    void onProgress(Progress progress);
}
