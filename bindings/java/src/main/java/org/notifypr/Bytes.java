package org.notifypr;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;

/** Texts and paths as C takes them. */
final class Bytes {
    private Bytes() {}

    /** A text as UTF-8 that ends with NUL. */
    static byte[] text(String text, String what) {
        Objects.requireNonNull(text, what);
        if (text.indexOf('\0') >= 0) {
            throw new NotifyPrException(Status.BAD_TEXT, what + " holds a NUL: leave it out");
        }
        try {
            ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            return Arrays.copyOf(bytes.array(), bytes.limit() + 1);
        } catch (CharacterCodingException error) {
            throw new NotifyPrException(
                    Status.BAD_TEXT, what + " is not Unicode: half of a surrogate pair is missing");
        }
    }

    /**
     * A path as the operating system has it. On Unix the bytes of a name need not be text in the
     * locale of the JVM, and {@code toString} would lose them; the URI has them all, but only for
     * absolute paths.
     */
    static byte[] path(Path path) {
        if (path.getFileSystem() != FileSystems.getDefault()) {
            throw new NotifyPrException(Status.BAD_FILE, path
                    + " is in an archive or another file system of Java's: copy it to a file");
        }
        if (path.getFileSystem().getSeparator().equals("\\")) {
            return text(path.toString(), "the path");
        }
        byte[] bytes = absolute(path);
        if (!path.isAbsolute()) {
            byte[] here = absolute(Path.of(""));
            int from = Math.min(here.length == 1 ? 1 : here.length + 1, bytes.length);
            bytes = Arrays.copyOfRange(bytes, from, bytes.length);
            if (bytes.length == 0) {
                bytes = new byte[] {'.'};
            }
        }
        return Arrays.copyOf(bytes, bytes.length + 1);
    }

    private static byte[] absolute(Path path) {
        String uri = path.toAbsolutePath().toUri().getRawPath();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(uri.length());
        for (int i = 0; i < uri.length(); i++) {
            if (uri.charAt(i) == '%') {
                bytes.write(Integer.parseInt(uri, i + 1, i + 3, 16));
                i += 2;
            } else {
                bytes.write(uri.charAt(i));
            }
        }
        byte[] all = bytes.toByteArray();
        // The URI of a folder ends with a slash.
        boolean slash = all.length > 1 && all[all.length - 1] == '/';
        return slash ? Arrays.copyOf(all, all.length - 1) : all;
    }
}
