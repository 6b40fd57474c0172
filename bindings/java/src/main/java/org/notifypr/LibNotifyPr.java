package org.notifypr;

import com.sun.jna.Callback;
import com.sun.jna.Library;
import com.sun.jna.Pointer;

/**
 * The functions of {@code notify_pr.h}, under their own names. Texts and paths go in as bytes that
 * end with NUL, and come back as UTF-8. {@code size_t} is {@code long}: all platforms that the
 * library is built for have 64 bits.
 */
interface LibNotifyPr extends Library {
    /** {@code NPR_ABI_VERSION} of the header that this package was written for. */
    int ABI_VERSION = 0;

    /** {@code npr_on_progress}. The progress is read by offset, so that it may grow at its end. */
    interface OnProgress extends Callback {
        int invoke(Pointer progress, Pointer userData);
    }

    String npr_version();

    int npr_abi_version();

    String npr_status_text(int status);

    String npr_setting_name(long index);

    String npr_setting_help(byte[] name);

    Pointer npr_report_new();

    void npr_report_free(Pointer report);

    int npr_report_load_ini(Pointer report, byte[] path);

    int npr_report_load_environment(Pointer report);

    int npr_report_load_spool(Pointer report, byte[] path);

    int npr_report_set(Pointer report, byte[] name, byte[] value);

    String npr_report_get(Pointer report, byte[] name);

    int npr_report_set_summary(Pointer report, byte[] markdown);

    int npr_report_attach(Pointer report, byte[] path);

    int npr_report_attach_bytes(Pointer report, byte[] name, byte[] data, long size);

    int npr_report_begin(Pointer report);

    int npr_report_on_progress(Pointer report, OnProgress onProgress, Pointer userData);

    int npr_report_submit(Pointer report, Pointer[] receipt);

    String npr_report_error(Pointer report);

    void npr_receipt_free(Pointer receipt);

    long npr_receipt_pull_number(Pointer receipt);

    String npr_receipt_comment_url(Pointer receipt);

    String npr_receipt_comment_text(Pointer receipt);

    String npr_receipt_page_url(Pointer receipt);

    String npr_receipt_expires(Pointer receipt);

    long npr_receipt_file_count(Pointer receipt);

    String npr_receipt_file_name(Pointer receipt, long index);

    String npr_receipt_file_url(Pointer receipt, long index);

    long npr_receipt_missing_count(Pointer receipt);

    String npr_receipt_missing_name(Pointer receipt, long index);

    String npr_receipt_missing_reason(Pointer receipt, long index);

    String npr_receipt_json(Pointer receipt);
}
