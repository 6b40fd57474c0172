package org.notifypr;

import com.sun.jna.Pointer;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongFunction;
import java.util.stream.LongStream;

/**
 * What became of a report. If the commit belongs to several pull requests, {@code pullNumber},
 * {@code commentUrl} and {@code commentText} speak of the first; {@code json} has all.
 *
 * @param pullNumber the number of the pull request, if one was found
 * @param commentUrl the address of the comment, if there is one
 * @param commentText the comment as it was composed, in Markdown, also if it could not be posted
 * @param pageUrl the address of the page that lists the files, if there is one
 * @param expires until when the links open, if there are links
 * @param files what is in the store
 * @param missing what was wanted and is not in the store; the comment names it
 * @param json the whole receipt, the same object that {@code notify_pr --json} prints
 */
public record Receipt(
        OptionalLong pullNumber,
        Optional<String> commentUrl,
        Optional<String> commentText,
        Optional<String> pageUrl,
        Optional<Instant> expires,
        List<StoredFile> files,
        List<Missing> missing,
        String json) {

    /**
     * A file in the store.
     *
     * @param name its name, as readers see it
     * @param url its address, if the public has a way to it
     */
    public record StoredFile(String name, Optional<String> url) {}

    /**
     * Something that is not in the store.
     *
     * @param name its name, as readers see it
     * @param reason why it is missing
     */
    public record Missing(String name, String reason) {}

    /** Copies everything, so that the C receipt can be freed. */
    static Receipt of(LibNotifyPr lib, Pointer receipt) {
        long number = lib.npr_receipt_pull_number(receipt);
        return new Receipt(
                number == 0 ? OptionalLong.empty() : OptionalLong.of(number),
                text(lib.npr_receipt_comment_url(receipt)),
                text(lib.npr_receipt_comment_text(receipt)),
                text(lib.npr_receipt_page_url(receipt)),
                text(lib.npr_receipt_expires(receipt)).map(Instant::parse),
                list(
                        lib.npr_receipt_file_count(receipt),
                        i -> new StoredFile(
                                lib.npr_receipt_file_name(receipt, i),
                                text(lib.npr_receipt_file_url(receipt, i)))),
                list(
                        lib.npr_receipt_missing_count(receipt),
                        i -> new Missing(
                                lib.npr_receipt_missing_name(receipt, i),
                                lib.npr_receipt_missing_reason(receipt, i))),
                lib.npr_receipt_json(receipt));
    }

    private static Optional<String> text(String text) {
        return text.isEmpty() ? Optional.empty() : Optional.of(text);
    }

    private static <T> List<T> list(long count, LongFunction<T> item) {
        return LongStream.range(0, count).mapToObj(item).toList();
    }
}
