/**
 * The same job with Confluent's parallel-consumer: confirmed orders are decoded and posted, by order in
 * their turn (the key), CONCURRENCY at a time, and offsets committed behind them.
 *
 *   java … ParallelConsumerPeer BROKERS TOPIC GROUP SCHEMA_FILE URL CONCURRENCY
 *
 * Runs until it is killed. SCHEMA_FILE: the envelope's schema, Avro's JSON. No retry, parking, outcome
 * record or signature, as a first version of a shop's own would be.
 */
import io.confluent.parallelconsumer.ParallelConsumerOptions;
import io.confluent.parallelconsumer.ParallelConsumerOptions.ProcessingOrder;
import io.confluent.parallelconsumer.ParallelStreamProcessor;
import java.io.File;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;

public final class ParallelConsumerPeer {
    private static final int PREFIX_BYTES = 5; // the magic byte and the schema's id
    private static final List<String> TEXTS = List.of("order_number", "client_name", "client_phone",
            "client_address", "client_city", "product_name");

    private final GenericDatumReader<GenericRecord> reader;
    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final URI url;

    private ParallelConsumerPeer(String schemaFile, String url) throws Exception {
        this.reader = new GenericDatumReader<>(new Schema.Parser().parse(new File(schemaFile)));
        this.url = URI.create(url);
    }

    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        properties.putAll(Map.of("bootstrap.servers", arguments[0], "group.id", arguments[2],
                "enable.auto.commit", "false", "auto.offset.reset", "earliest",
                "key.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer",
                "value.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer"));
        ParallelConsumerOptions<byte[], byte[]> options = ParallelConsumerOptions.<byte[], byte[]>builder()
                .ordering(ProcessingOrder.KEY)
                .maxConcurrency(Integer.parseInt(arguments[5]))
                .consumer(new KafkaConsumer<byte[], byte[]>(properties))
                .build();
        ParallelConsumerPeer peer = new ParallelConsumerPeer(arguments[3], arguments[4]);
        ParallelStreamProcessor<byte[], byte[]> processor = ParallelStreamProcessor.createEosStreamProcessor(options);
        processor.subscribe(List.of(arguments[1]));
        processor.poll(context -> peer.handle(context.getSingleConsumerRecord()));
    }

    private void handle(ConsumerRecord<byte[], byte[]> record) {
        try {
            byte[] value = record.value();
            if (value == null)
                return;
            GenericRecord envelope = reader.read(null, DecoderFactory.get().binaryDecoder(value, PREFIX_BYTES,
                    value.length - PREFIX_BYTES, null));
            GenericRecord before = (GenericRecord) envelope.get("before");
            GenericRecord after = (GenericRecord) envelope.get("after");
            if (after == null || !is(after, "confirmed") || (before != null && is(before, "confirmed")))
                return;
            post(after);
        } catch (Exception error) {
            throw new RuntimeException(error);
        }
    }

    private void post(GenericRecord row) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(url).header("Content-Type", "application/json")
                .header("webhook-id", row.get("id") + "-" + row.get("confirmed_at"))
                .POST(HttpRequest.BodyPublishers.ofString(body(row))).build();
        int status = http.send(request, BodyHandlers.discarding()).statusCode();
        if (status / 100 != 2)
            throw new IllegalStateException("status " + status);
    }

    private static boolean is(GenericRecord row, String status) {
        return row.get("status") != null && row.get("status").toString().equals(status);
    }

    private static String body(GenericRecord row) {
        StringBuilder text = new StringBuilder("{\"form_name\":\"order_confirmation\",\"fields\":{\"order_id\":\"")
                .append(row.get("id")).append('"');
        for (String name : TEXTS)
            text.append(",\"").append(name).append("\":").append(quoted(row.get(name)));
        return text.append(",\"quantity\":").append(row.get("quantity"))
                .append(",\"unit_price\":").append(amount(row, "unit_price"))
                .append(",\"total_amount\":").append(amount(row, "total_amount"))
                .append(",\"status\":\"confirmed\",\"confirmed_at\":").append(quoted(row.get("confirmed_at")))
                .append("}}").toString();
    }

    private static String quoted(Object value) {
        return value == null ? "null" : "\"" + value.toString().replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }

    /** Connect's decimal: the unscaled number's bytes, the scale in the schema. */
    private static String amount(GenericRecord row, String name) {
        Object value = row.get(name);
        if (!(value instanceof ByteBuffer))
            return String.valueOf(value);
        byte[] bytes = new byte[((ByteBuffer) value).remaining()];
        ((ByteBuffer) value).duplicate().get(bytes);
        Schema schema = row.getSchema().getField(name).schema();
        for (Schema branch : schema.isUnion() ? schema.getTypes() : List.of(schema))
            if (branch.getType() == Schema.Type.BYTES)
                return new BigDecimal(new BigInteger(bytes), ((Number) branch.getObjectProp("scale")).intValue()).toPlainString();
        throw new IllegalStateException(name);
    }
}
