import java.util.Date;
import java.util.Properties;
import javax.mail.Message;
import javax.mail.SendFailedException;
import javax.mail.Session;
import javax.mail.Transport;
import javax.mail.internet.InternetAddress;
import javax.mail.internet.MimeMessage;

/**
 * A mail by JavaMail over implicit TLS, as a Java program sends one: log in, then send to two people, of whom the server
 * may refuse one.
 *
 * usage: java -cp javax.mail.jar MailClient.java HOST PORT USER PASSWORD
 *
 * The trust store is that of the system property javax.net.ssl.trustStore.
 */
public class MailClient {
    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        properties.put("mail.smtp.ssl.enable", "true");
        properties.put("mail.smtp.ssl.checkserveridentity", "true");
        properties.put("mail.smtp.localhost", "client.example.org");
        properties.put("mail.smtp.auth", "true");
        properties.put("mail.smtp.sendpartial", "true");
        Session session = Session.getInstance(properties);

        MimeMessage message = new MimeMessage(session);
        message.setFrom(new InternetAddress("alice@example.org", "Alice"));
        message.addRecipient(Message.RecipientType.TO, new InternetAddress("bob@example.org", "Bob"));
        message.addRecipient(Message.RecipientType.CC, new InternetAddress("carol@example.org", "Carol"));
        message.setSubject("Minutes of the meeting");
        message.setSentDate(new Date());
        message.setText("Hello Bob,\n\nthe minutes are on the shelf behind my desk.\n\nAlice\n");
        message.saveChanges();

        try (Transport transport = session.getTransport("smtp")) {
            transport.connect(arguments[0], Integer.parseInt(arguments[1]), arguments[2], arguments[3]);
            transport.sendMessage(message, message.getAllRecipients());
        } catch (SendFailedException refused) {
            System.out.println(refused.getMessage());
        }
    }
}
