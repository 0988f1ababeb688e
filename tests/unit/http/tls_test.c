/* tls_test: the certificates that the webhook's connection trusts. An untrusted endpoint is a
 * failure of the connection, tried again later, and gets no byte of the request. */
#include "unit/http/http_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
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

static X509 *make_certificate(EVP_PKEY *key, const char *name, long from_s, long to_s)
{
    X509 *x = X509_new();
    X509_NAME *subject = X509_get_subject_name(x);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), from_s);
    X509_gmtime_adj(X509_getm_notAfter(x), to_s);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1,
                               0);
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
    }
    SSL_free(ssl);
    close(fd);
    return NULL;
}

static void tls_open(struct tls_server *server, const char *name, long from_s, long to_s,
                     int highest_version)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    *server = (struct tls_server){.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    server->key = EVP_EC_gen("P-256");
    server->certificate = make_certificate(server->key, name, from_s, to_s);
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

static struct answer post_tls(int port, const char *ca_file)
{
    struct http_endpoint endpoint = plain;
    struct answer seen = {0};
    struct net net;
    char url[64];
    endpoint.http_allowed = false;
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
} cases[] = {
    {"as it should be", "IP:127.0.0.1", -DAY, DAY, TLS1_3_VERSION, true, 204},
    {"TLS 1.2", "IP:127.0.0.1", -DAY, DAY, TLS1_2_VERSION, true, 204},
    {"expired", "IP:127.0.0.1", -2 * DAY, -DAY, TLS1_3_VERSION, true, 0},
    {"not yet valid", "IP:127.0.0.1", DAY, 2 * DAY, TLS1_3_VERSION, true, 0},
    {"another host", "DNS:hooks.example.com", -DAY, DAY, TLS1_3_VERSION, true, 0},
    {"signed by an unknown key", "IP:127.0.0.1", -DAY, DAY, TLS1_3_VERSION, false, 0},
    {"TLS 1.1", "IP:127.0.0.1", -DAY, DAY, TLS1_1_VERSION, true, 0},
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
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_valid_certificate_is_trusted),
        cmocka_unit_test(plain_http_on_the_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
