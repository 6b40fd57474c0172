package org.notifypr;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A GitHub and a published folder on loopback, and the folder of a job with {@code run.ini}. */
final class Lab implements AutoCloseable {
    static final String COMMIT = "3357460473a4ea60d338dd5f03d231294ba79f89";
    private static final String SCENE = """
            {"tokens": [{"token": "lab-token", "login": "lab-bot", "scopes": ["public_repo"]}],
             "repositories": [{"owner": "apache", "name": "cloudstack", "fill": 3, "pulls": [
               {"number": 42, "fork": "contributor", "branch": "fix-volumes", "head": "%s"}]}]}
            """.formatted(COMMIT);

    final Path folder;
    final Path ini;
    private final Process process;
    private final String control;

    Lab(Path folder) throws IOException {
        this.folder = folder;
        Path published = Files.createDirectories(folder.resolve("published"));
        Path scene = Files.writeString(folder.resolve("scene.json"), SCENE);
        process = new ProcessBuilder(System.getProperty("stand-ins"), "--state",
                        scene.toString(), "--directory", published.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String addresses = new BufferedReader(new InputStreamReader(
                        process.getInputStream(), StandardCharsets.UTF_8))
                .readLine();
        control = address(addresses, "control");
        Files.writeString(folder.resolve("token"), "lab-token\n");
        ini = Files.writeString(folder.resolve("run.ini"), """
                token_file = %1$s/token
                owner = apache
                repo = cloudstack
                api_url = %2$s
                commit = %3$s
                context = kvm
                outbox_dir = %1$s/outbox
                store_api = directory
                store_endpoint = %4$s
                store_public_url = %5$s
                """.formatted(folder, address(addresses, "github"), COMMIT, published,
                address(addresses, "directory")));
    }

    /** What is on the pull request, as JSON. */
    String comments() {
        return ask(HttpRequest.newBuilder(URI.create(
                        control + "/comments?repository=apache/cloudstack&pull=42")));
    }

    /** No request to GitHub is answered from now on. */
    void stall() {
        ask(HttpRequest.newBuilder(URI.create(control + "/faults")).POST(
                HttpRequest.BodyPublishers.ofString(
                        "{\"path\": \"/\", \"trouble\": \"stall\", \"forever\": true}")));
    }

    private static String ask(HttpRequest.Builder request) {
        try {
            HttpResponse<String> response = HttpClient.newHttpClient()
                    .send(request.build(), HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() >= 300) {
                throw new IllegalStateException(response + response.body());
            }
            return response.body();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        } catch (InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }

    private static String address(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\":\\s*\"([^\"]+)\"").matcher(json);
        if (!found.find()) {
            throw new IllegalStateException(json);
        }
        return found.group(1);
    }

    /** Ends the stand-ins, which say whether a request was one that GitHub does not know. */
    @Override
    public void close() throws IOException {
        process.getOutputStream().close();
        try {
            if (process.waitFor() != 0) {
                throw new AssertionError("the stand-ins saw a violation");
            }
        } catch (InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }
}
