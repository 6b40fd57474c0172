package org.notifypr;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Platform;
import java.io.File;
import java.io.IOException;
import java.util.Map;

/** Finds the library, once for each class loader that has this package. */
final class LibraryLoader {
    private static final String HOW = "name the library with -Dnotifypr.library=PATH or"
            + " NOTIFY_PR_LIBRARY, use the jar of this platform, or install libnotify_pr";

    /** The library of this class loader. */
    static final class Loaded {
        static final LibNotifyPr LIBRARY = load();

        private Loaded() {}
    }

    private LibraryLoader() {}

    private static LibNotifyPr load() {
        String name = find();
        Map<String, Object> options = Map.of(
                Library.OPTION_STRING_ENCODING, "UTF-8",
                Library.OPTION_CLASSLOADER, LibraryLoader.class.getClassLoader());
        LibNotifyPr library;
        int abi;
        try {
            library = Native.load(name, LibNotifyPr.class, options);
            abi = library.npr_abi_version();
        } catch (UnsatisfiedLinkError error) {
            throw failed(name + " could not be loaded: " + error.getMessage() + "; " + HOW, error);
        }
        if (abi != LibNotifyPr.ABI_VERSION) {
            throw failed(
                    name + " is version " + library.npr_version() + " with binary interface " + abi
                            + ", but this package needs " + LibNotifyPr.ABI_VERSION + "; " + HOW,
                    null);
        }
        return library;
    }

    /** The one that was named, or the one in the jar, or the one of the system. */
    private static String find() {
        String named = System.getProperty("notifypr.library");
        if (named == null || named.isEmpty()) {
            named = System.getenv("NOTIFY_PR_LIBRARY");
        }
        if (named != null && !named.isEmpty()) {
            return new File(named).getAbsolutePath();
        }
        String resource = Platform.RESOURCE_PREFIX + "/" + System.mapLibraryName("notify_pr");
        ClassLoader classes = LibraryLoader.class.getClassLoader();
        if (classes.getResource(resource) == null) {
            return "notify_pr";
        }
        try {
            // JNA by itself would take the system's before the jar's.
            return Native.extractFromResourcePath("/" + resource, classes).getAbsolutePath();
        } catch (IOException error) {
            throw failed(resource + " could not be unpacked: " + error.getMessage()
                    + "; name a folder that programs may run from with -Djna.tmpdir, or " + HOW, error);
        }
    }

    private static UnsatisfiedLinkError failed(String message, Throwable cause) {
        UnsatisfiedLinkError error = new UnsatisfiedLinkError(message);
        error.initCause(cause);
        return error;
    }
}
