package org.notifypr;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The header and this package say the same. */
class NumbersTest {
    private final String header = read();

    private static String read() {
        try {
            return Files.readString(Path.of(System.getProperty("header")));
        } catch (java.io.IOException error) {
            throw new java.io.UncheckedIOException(error);
        }
    }

    private Map<String, Integer> numbers(String pattern) {
        Map<String, Integer> numbers = new TreeMap<>();
        Pattern.compile(pattern, Pattern.MULTILINE).matcher(header).results()
                .forEach(found -> numbers.put(found.group(1), Integer.valueOf(found.group(2))));
        return numbers;
    }

    @Test
    void statusesAreThoseOfTheHeader() {
        Map<String, Integer> ours = new TreeMap<>();
        for (Status status : Status.values()) {
            if (status != Status.OTHER) {
                ours.put(status.name(), status.number());
            }
        }
        assertEquals(numbers("^    NPR_(?!STAGE_)([A-Z_]+) = (\\d+),$"), ours);
    }

    @Test
    void stagesAreThoseOfTheHeader() {
        Map<String, Integer> ours = new TreeMap<>();
        for (Stage stage : Stage.values()) {
            if (stage != Stage.OTHER) {
                ours.put(stage.name(), stage.number());
            }
        }
        assertEquals(numbers("^    NPR_STAGE_([A-Z_]+) = (\\d+),$"), ours);
    }

    @Test
    void functionsAreThoseOfTheHeader() {
        Set<String> ours = new TreeSet<>();
        for (var method : LibNotifyPr.class.getDeclaredMethods()) {
            ours.add(method.getName());
        }
        Set<String> theirs = new TreeSet<>();
        Pattern.compile("^[a-z].*?\\b(npr_\\w+)\\(", Pattern.MULTILINE).matcher(header).results()
                .filter(found -> !found.group().startsWith("typedef"))
                .forEach(found -> theirs.add(found.group(1)));
        assertEquals(theirs, ours);
    }

    @Test
    void theBinaryInterfaceIsThatOfTheHeader() {
        assertEquals(
                Map.of("NPR_ABI_VERSION", LibNotifyPr.ABI_VERSION),
                numbers("^#define (NPR_ABI_VERSION) (\\d+)$"));
    }
}
