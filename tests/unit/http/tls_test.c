/* tls_test: the certificates that the webhook's connection trusts. An untrusted endpoint is a
 * failure of the connection, tried again later, and gets no byte of the request. */
#include "unit/http/http_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DAY = 24 * 3600 };

/* Serves one connection; `got` counts the bytes of requests that reached it. */
struct tls_server {
    EVP_PKEY *key;
    X509 *certificate;
    SSL_CTX *context;
    int listener, port;
    size_t got;
    pthread_t thread;
};

static X509 *make_certificate(EVP_PKEY *key, const char *subject_name, const char *name,
                              long from_s, long to_s)
{
    X509 *x = X509_new();
    X509_NAME *subject = X509_get_subject_name(x);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), from_s);
    X509_gmtime_adj(X509_getm_notAfter(x), to_s);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)subject_name, -1,
                               -1, 0);
    X509_set_issuer_name(x, subject);
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, name);
    assert_non_null(names);
    X509_add_ext(x, names, -1);
    X509_EXTENSION_free(names);
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    return x;
}

static void *serve_one(void *context)
{
    static const char answer[] = "HTTP/1.1 204 No Content\r\n\r\n";
    struct tls_server *server = context;
    char bytes[4096];
    int fd = accept(server->listener, NULL, NULL);
    SSL *ssl = SSL_new(server->context);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1) {
        int len = SSL_read(ssl, bytes, sizeof bytes);
        server->got += len > 0 ? (size_t)len : 0;
        if (len > 0 && SSL_write(ssl, answer, sizeof answer - 1) > 0)
            SSL_shutdown(ssl);
    } else { /* the alert is on its way: an end with bytes unread would overtake it */
        shutdown(fd, SHUT_WR);
        while (recv(fd, bytes, sizeof bytes, 0) > 0)
            ;
    }
    SSL_free(ssl);
    close(fd);
    return NULL;
}

/* Listens, and serves nothing yet. */
static void tls_prepare(struct tls_server *server, const char *name, long from_s, long to_s,
                        int highest_version)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    *server = (struct tls_server){.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    server->key = EVP_EC_gen("P-256");
    server->certificate = make_certificate(server->key, "test", name, from_s, to_s);
    server->context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(server->context, 0);
    SSL_CTX_set_min_proto_version(server->context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(server->context, highest_version);
    assert_int_equal(SSL_CTX_use_certificate(server->context, server->certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(server->context, server->key), 1);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(server->listener, 4), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
    server->port = ntohs(address.sin_port);
}

static void tls_open(struct tls_server *server, const char *name, long from_s, long to_s,
                     int highest_version)
{
    tls_prepare(server, name, from_s, to_s, highest_version);
    assert_int_equal(pthread_create(&server->thread, NULL, serve_one, server), 0);
}

static void tls_close(struct tls_server *server)
{
    pthread_join(server->thread, NULL);
    close(server->listener);
    SSL_CTX_free(server->context);
    X509_free(server->certificate);
    EVP_PKEY_free(server->key);
}

static void write_certificate(const struct tls_server *server, char *path)
{
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, server->certificate), 1);
    assert_int_equal(fclose(file), 0);
}

static const struct client_identity *shown; /* the certificate of the next requests; NULL: none */

static struct answer post_tls(int port, const char *ca_file)
{
    struct http_endpoint endpoint = plain;
    struct answer seen = {0};
    struct net net;
    char url[64];
    endpoint.http_allowed = false;
    endpoint.identity = shown;
    endpoint.ca_file = ca_file;
    snprintf(url, sizeof url, "https://127.0.0.1:%d/secret-path", port);
    net_open(&net);
    assert_non_null(
        http_start(net.http, &endpoint, "POST", url, NULL, "body", 4, note, &seen, NULL));
    assert_true(net_run(&net, &seen.calls, 1));
    net_close(&net);
    return seen;
}

static const struct {
    const char *name, *host;
    long from_s, to_s;
    int highest_version;
    bool known; /* the endpoint's certificate is in ca_file */
    int status;
    const char *words; /* of the failure; an end after it is left open */
} cases[] = {
    {"as it should be", "IP:127.0.0.1", -DAY, DAY, TLS1_3_VERSION, true, 204, ""},
    {"TLS 1.2", "IP:127.0.0.1", -DAY, DAY, TLS1_2_VERSION, true, 204, ""},
    {"expired", "IP:127.0.0.1", -2 * DAY, -DAY, TLS1_3_VERSION, true, 0,
     "the endpoint's certificate expired on 20"},
    {"not yet valid", "IP:127.0.0.1", DAY, 2 * DAY, TLS1_3_VERSION, true, 0,
     "the endpoint's certificate is not valid before 20"},
    {"another host", "DNS:hooks.example.com", -DAY, DAY, TLS1_3_VERSION, true, 0,
     "the endpoint's certificate is for hooks.example.com, not for the URL's host"},
    {"signed by an unknown key", "IP:127.0.0.1", -DAY, DAY, TLS1_3_VERSION, false, 0,
     "the endpoint's certificate is self-signed: to trust it, name it in ca_file"},
    {"TLS 1.1", "IP:127.0.0.1", -DAY, DAY, TLS1_1_VERSION, true, 0,
     "no TLS version in common: here TLS 1.2 is the least (tls_min)"},
};

static void only_a_valid_certificate_is_trusted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_server server;
        char path[] = "/tmp/tls-test-XXXXXX";
        tls_open(&server, cases[i].host, cases[i].from_s, cases[i].to_s, cases[i].highest_version);
        write_certificate(&server, path);
        struct answer seen = post_tls(server.port, cases[i].known ? path : NULL);
        tls_close(&server);
        unlink(path);
        bool trusted = cases[i].status != 0;
        if (seen.status != cases[i].status || (server.got > 0) != trusted ||
            seen.kind != (trusted ? FAILURE_NONE : FAILURE_TLS))
            fail_msg("%s: status %d, kind %d, %zu bytes", cases[i].name, seen.status,
                     (int)seen.kind, server.got);
        if (strncmp(seen.failure, cases[i].words, strlen(cases[i].words)) != 0)
            fail_msg("%s: %s", cases[i].name, seen.failure);
    }
}

static void *talk_plain(void *context)
{
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    const int *listener = context;
    char bytes[4096];
    int fd = accept(*listener, NULL, NULL);
    if (recv(fd, bytes, sizeof bytes, 0) > 0)
        (void)!send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
    close(fd);
    return NULL;
}

/* An answer in plain HTTP on a TLS port is a failure of TLS. */
static void plain_http_on_the_port(void **state)
{
    (void)state;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    pthread_t thread;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(pthread_create(&thread, NULL, talk_plain, &fd), 0);
    struct answer seen = post_tls(ntohs(address.sin_port), NULL);
    pthread_join(thread, NULL);
    close(fd);
    assert_int_equal(seen.status, 0);
    assert_int_equal(seen.kind, FAILURE_TLS);
    assert_string_equal(seen.failure, "the port does not speak TLS: it may be one for http://");
}

/* ---- a client's certificate ---- */

struct identity_files {
    struct client_identity *identity;
    char certificate[32], key[32];
};

static void write_key(EVP_PKEY *key, char *path)
{
    FILE *file = fdopen(mkstemp(path), "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(file), 0);
}

/* A self-signed one, which the server trusts by itself. */
static struct identity_files identity_open(struct tls_server *server, const char *name)
{
    struct identity_files files = {.certificate = "/tmp/tls-test-XXXXXX",
                                   .key = "/tmp/tls-test-XXXXXX"};
    struct tls_server client = {.key = EVP_EC_gen("P-256")};
    client.certificate = make_certificate(client.key, name, "DNS:client", -DAY, DAY);
    write_certificate(&client, files.certificate);
    write_key(client.key, files.key);
    if (server != NULL)
        X509_STORE_add_cert(SSL_CTX_get_cert_store(server->context), client.certificate);
    struct error err = {0};
    files.identity = client_identity_read("webhook.", files.certificate, files.key, &err);
    if (files.identity == NULL)
        fail_msg("%s", err.text);
    X509_free(client.certificate);
    EVP_PKEY_free(client.key);
    return files;
}

static void identity_close(struct identity_files *files)
{
    unlink(files->certificate);
    unlink(files->key);
    client_identity_free(files->identity);
}

/* A server that requires a certificate gets none, one that it trusts, and another's. A refusal
 * never processed the order, and the words name the side at fault. */
static void an_endpoint_that_wants_a_certificate(void **state)
{
    static const struct {
        const char *name;
        bool shows, trusted;
        const char *words;
    } rows[] = {
        {"none", false, false, "the endpoint wants a client certificate (cert_file, key_file)"},
        {"trusted", true, true, ""},
        {"another", true, false, "the endpoint refuses our client certificate ("},
    };
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        const size_t row = i / 2;
        struct tls_server server;
        char path[] = "/tmp/tls-test-XXXXXX";
        tls_open(&server, "IP:127.0.0.1", -DAY, DAY, versions[i % 2]);
        SSL_CTX_set_verify(server.context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        write_certificate(&server, path);
        struct identity_files files = identity_open(rows[row].trusted ? &server : NULL, "client");
        shown = rows[row].shows ? files.identity : NULL;
        struct answer seen = post_tls(server.port, path);
        shown = NULL;
        tls_close(&server);
        unlink(path);
        identity_close(&files);
        if (strncmp(seen.failure, rows[row].words, strlen(rows[row].words)) != 0 ||
            seen.status != (rows[row].trusted ? 204 : 0) || seen.maybe_taken ||
            seen.kind != (rows[row].trusted ? FAILURE_NONE : FAILURE_TLS))
            fail_msg("%s, %x: %d, kind %d, maybe taken %d: %s", rows[row].name, versions[i % 2],
                     seen.status, (int)seen.kind, seen.maybe_taken, seen.failure);
    }
}

/* Serves two connections at a time, one request each, and notes whose certificate each showed. */
struct two_clients {
    struct tls_server server;
    char shown[2][64];
};

static void *serve_two(void *context)
{
    static const char answer[] = "HTTP/1.1 204 No Content\r\n\r\n";
    struct two_clients *two = context;
    SSL *ssl[2] = {NULL};
    int fd[2];
    char bytes[4096];
    for (size_t i = 0; i < 2; i++) {
        fd[i] = accept(two->server.listener, NULL, NULL);
        ssl[i] = SSL_new(two->server.context);
        SSL_set_fd(ssl[i], fd[i]);
        if (SSL_accept(ssl[i]) != 1)
            break;
        X509 *peer = SSL_get1_peer_certificate(ssl[i]);
        X509_NAME_oneline(X509_get_subject_name(peer), two->shown[i], sizeof two->shown[i]);
        X509_free(peer);
        if (SSL_read(ssl[i], bytes, sizeof bytes) > 0)
            SSL_write(ssl[i], answer, sizeof answer - 1);
    }
    for (size_t i = 0; i < 2 && ssl[i] != NULL; i++) {
        SSL_free(ssl[i]);
        close(fd[i]);
    }
    return NULL;
}

/* After a reload the old certificate is not shown again: its connection stays open, and unused. */
static void a_new_certificate_opens_a_new_connection(void **state)
{
    (void)state;
    struct two_clients two = {.shown = {"", ""}};
    struct net net;
    char url[64], path[] = "/tmp/tls-test-XXXXXX";
    struct answer seen = {0};
    tls_prepare(&two.server, "IP:127.0.0.1", -DAY, DAY, TLS1_3_VERSION);
    SSL_CTX_set_verify(two.server.context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    write_certificate(&two.server, path);
    struct identity_files first = identity_open(&two.server, "first"),
                          second = identity_open(&two.server, "second");
    assert_int_equal(pthread_create(&two.server.thread, NULL, serve_two, &two), 0);
    snprintf(url, sizeof url, "https://127.0.0.1:%d/secret-path", two.server.port);
    net_open(&net);
    struct http_endpoint endpoint = plain;
    endpoint.ca_file = path;
    for (int i = 0; i < 2; i++) {
        endpoint.identity = i == 0 ? first.identity : second.identity;
        assert_non_null(
            http_start(net.http, &endpoint, "POST", url, NULL, "body", 4, note, &seen, NULL));
        assert_true(net_run(&net, &seen.calls, i + 1));
        assert_int_equal(seen.status, 204);
    }
    net_close(&net);
    tls_close(&two.server);
    unlink(path);
    identity_close(&first);
    identity_close(&second);
    assert_string_equal(two.shown[0], "/CN=first");
    assert_string_equal(two.shown[1], "/CN=second");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_valid_certificate_is_trusted),
        cmocka_unit_test(plain_http_on_the_port),
        cmocka_unit_test(an_endpoint_that_wants_a_certificate),
        cmocka_unit_test(a_new_certificate_opens_a_new_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
