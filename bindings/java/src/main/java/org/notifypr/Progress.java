package org.notifypr;

/**
 * How far a submission is.
 *
 * @param stage the step that is under way
 * @param filesDone how many files are stored or given up
 * @param files how many files there are to store; 0 until the plan is made
 * @param bytesDone how many bytes were sent
 * @param bytes how many bytes there are to send; 0 until the plan is made
 */
public record Progress(Stage stage, long filesDone, long files, long bytesDone, long bytes) {}
