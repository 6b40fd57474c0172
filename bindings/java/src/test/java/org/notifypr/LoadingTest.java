package org.notifypr;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.Platform;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The library is found, also more than once in a process. */
class LoadingTest {
    @TempDir
    Path folder;

    /** A class loader that has this package for itself and shares JNA, as plugins in Jenkins do. */
    private static class Plugin extends URLClassLoader {
        Plugin(URL... urls) {
            super(urls, LoadingTest.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith("org.notifypr.")) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                return loaded == null ? findClass(name) : loaded;
            }
        }
    }

    private static URL classes() {
        return Report.class.getProtectionDomain().getCodeSource().getLocation();
    }

    /** Calls something without the property that names the library. */
    private static <T> T unnamed(java.util.concurrent.Callable<T> call) throws Exception {
        String named = System.clearProperty("notifypr.library");
        try {
            return call.call();
        } finally {
            System.setProperty("notifypr.library", named);
        }
    }

    @Test
    void twoClassLoadersUseTheLibraryOfTheirJar() throws Exception {
        Path jar = folder.resolve("native.jar");
        try (FileSystem zip = FileSystems.newFileSystem(
                URI.create("jar:" + jar.toUri()), Map.of("create", "true", "noCompression", "true"))) {
            Path inside = zip.getPath(Platform.RESOURCE_PREFIX);
            Files.createDirectories(inside);
            Files.copy(Path.of(System.getProperty("notifypr.library")),
                    inside.resolve(System.mapLibraryName("notify_pr")));
        }
        try (Plugin one = new Plugin(classes(), jar.toUri().toURL());
                Plugin two = new Plugin(classes(), jar.toUri().toURL())) {
            Class<?> first = one.loadClass("org.notifypr.Report");
            Class<?> second = two.loadClass("org.notifypr.Report");
            assertNotSame(first, second);
            for (Class<?> report : new Class<?>[] {first, second}) {
                assertEquals(Report.libraryVersion(),
                        unnamed(() -> report.getMethod("libraryVersion").invoke(null)));
                try (var made = (AutoCloseable) report.getConstructor().newInstance()) {
                    report.getMethod("set", String.class, String.class).invoke(made, "title", "ä");
                    assertEquals("ä", report.getMethod("get", String.class).invoke(made, "title"));
                }
            }
        }
    }

    /** A class loader in which there is no library, though an earlier build has left one. */
    private static final class Bare extends Plugin {
        Bare() {
            super(classes());
        }

        @Override
        public URL getResource(String name) {
            return name.contains("notify_pr.") ? null : super.getResource(name);
        }
    }

    /** What a plugin that cannot load its library is told. */
    private String refused() throws Exception {
        try (Plugin plugin = new Bare()) {
            var version = plugin.loadClass("org.notifypr.Report").getMethod("libraryVersion");
            var thrown = assertThrows(java.lang.reflect.InvocationTargetException.class,
                    () -> version.invoke(null)).getCause();
            assertTrue(thrown instanceof UnsatisfiedLinkError, thrown.toString());
            assertTrue(thrown.getMessage().contains("-Dnotifypr.library"), thrown.getMessage());
            return thrown.getMessage();
        }
    }

    @Test
    void whatIsNoLibraryIsAnErrorThatSaysWhatToDo() throws Exception {
        Path text = Files.writeString(folder.resolve("libnotify_pr.so"), "words");
        for (String path : List.of("/no/such/libnotify_pr.so", text.toString())) {
            String named = System.setProperty("notifypr.library", path);
            try {
                String message = refused();
                assertTrue(message.contains(path), message);
            } finally {
                System.setProperty("notifypr.library", named);
            }
        }
    }

    @Test
    void aJarWithoutTheLibraryIsAnErrorThatSaysWhatToDo() throws Exception {
        String message = unnamed(this::refused);
        assertTrue(message.startsWith("notify_pr could not be loaded: "), message);
        assertTrue(message.contains("use the jar of this platform"), message);
    }
}
