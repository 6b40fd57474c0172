import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.notifypr.NotifyPrException;
import org.notifypr.Receipt;
import org.notifypr.Report;

/** Prints the receipt of a report, or all settings: Door [INI ATTACHMENT NAME=VALUE...] */
final class Door {
    public static void main(String[] args) {
        if (args.length < 2) {
            Report.settingNames().forEach(System.out::println);
            return;
        }
        int status = 0;
        Receipt receipt;
        try (Report report = new Report().load(Path.of(args[0])).loadEnvironment()) {
            for (int i = 2; i < args.length; i++) {
                String[] setting = args[i].split("=", 2);
                report.set(setting[0], setting[1]);
            }
            report.attach(Path.of(args[1]));
            receipt = report.submit();
        } catch (NotifyPrException failure) {
            status = failure.number();
            receipt = failure.receipt().orElseThrow(() -> failure);
        }
        byte[] json = (receipt.json() + "\n").getBytes(StandardCharsets.UTF_8);
        System.out.write(json, 0, json.length);
        System.out.flush();
        System.exit(status);
    }
}
