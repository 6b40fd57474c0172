/**
 * Reports the results of independent CI runs on the GitHub pull request that was tested.
 *
 * <p>A {@link org.notifypr.Report} is settings, a summary and attachments; submitting it gives a
 * {@link org.notifypr.Receipt}, or a {@link org.notifypr.NotifyPrException} that holds one. The
 * names of settings and the numbers of statuses are those of the {@code notify_pr} command.
 */
package org.notifypr;
