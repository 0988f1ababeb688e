#include "http/tls/handshake.h"

#include "base/printable.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct handshake_watch {
    struct handshake *target; /* NULL: no request looks any more */
};

/* ---- the link between a context and its watch ---- */

static int watch_index = -1; /* of SSL_CTX's own data */
static pthread_once_t index_once = PTHREAD_ONCE_INIT;

static void free_watch(void *parent, void *data, CRYPTO_EX_DATA *all, int index, long argl,
                       void *argp)
{
    struct handshake_watch *watch = data;
    (void)parent, (void)all, (void)index, (void)argl, (void)argp;
    if (watch != NULL && watch->target != NULL)
        watch->target->watch = NULL;
    free(watch);
}

static void make_index(void)
{
    watch_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_watch);
}

static struct handshake *target_of(const SSL *ssl)
{
    const struct handshake_watch *watch = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), watch_index);
    return watch != NULL ? watch->target : NULL;
}

/* ---- certificates ---- */

static void take_issuer(struct handshake *h, X509 *certificate)
{
    const X509_NAME *issuer = X509_get_issuer_name(certificate);
    const int parts[] = {NID_commonName, NID_organizationName};
    char name[HANDSHAKE_NAME_MAX];
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (X509_NAME_get_text_by_NID((X509_NAME *)issuer, parts[i], name, sizeof name) > 0) {
            printable(name, h->issuer, sizeof h->issuer);
            return;
        }
}

/* "a.example.com, b.example.com", as many as there is room for. */
static void take_names(struct handshake *h, X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    char list[HANDSHAKE_NAME_MAX] = "";
    size_t used = 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS)
            continue;
        const char *text = (const char *)ASN1_STRING_get0_data(name->d.dNSName);
        int len = ASN1_STRING_length(name->d.dNSName);
        if (len < 0 || used + (size_t)len + sizeof ", " > sizeof list)
            break;
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%.*s", used > 0 ? ", " : "",
                                 len, text);
    }
    GENERAL_NAMES_free(names);
    printable(list, h->names, sizeof h->names);
}

static void take_date(struct handshake *h, const ASN1_TIME *time)
{
    struct tm when;
    h->when[0] = '\0';
    if (ASN1_TIME_to_tm(time, &when) == 1)
        strftime(h->when, sizeof h->when, "%Y-%m-%d", &when);
}

/* OpenSSL calls it for each certificate of the chain, and for each fault; ok is its own verdict,
 * which stands. */
static int on_verify(int ok, X509_STORE_CTX *store)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct handshake *h = target_of(ssl);
    X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    if (h == NULL || certificate == NULL)
        return ok;
    int depth = X509_STORE_CTX_get_error_depth(store);
    if (ok) {
        h->verified |= depth == 0; /* the last one to be looked at */
        if (depth == 0)
            take_names(h, certificate);
    } else if (h->verify_error == 0) {
        h->verify_error = X509_STORE_CTX_get_error(store);
        h->depth = depth;
        take_issuer(h, certificate);
        take_date(h, h->verify_error == X509_V_ERR_CERT_NOT_YET_VALID
                         ? X509_get0_notBefore(certificate)
                         : X509_get0_notAfter(certificate));
    }
    return ok;
}

/* ---- the endpoint's alerts ---- */

static void on_info(const SSL *ssl, int where, int value)
{
    enum { WARNING = 1 };
    struct handshake *h = target_of(ssl);
    if (h != NULL && (where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && value >> 8 != WARNING)
        h->alert = value & 0xff;
}

/* Called when the endpoint asks for a certificate. Ours is set before, or there is none. */
static int on_asked(SSL *ssl, void *unused)
{
    struct handshake *h = target_of(ssl);
    (void)unused;
    if (h != NULL)
        h->asked_for_certificate = true;
    return 1;
}

/* ---- the watch ---- */

void handshake_reset(struct handshake *h)
{
    if (h->watch != NULL)
        h->watch->target = NULL;
    *h = (struct handshake){0};
}

bool handshake_watch(struct handshake *h, void *ssl_ctx)
{
    SSL_CTX *context = ssl_ctx;
    struct handshake_watch *watch = malloc(sizeof *watch);
    pthread_once(&index_once, make_index);
    handshake_reset(h);
    if (watch == NULL || watch_index < 0)
        goto failed;
    watch->target = NULL; /* so that a failure finds no one to tell */
    if (SSL_CTX_set_ex_data(context, watch_index, watch) != 1)
        goto failed;
    watch->target = h;
    h->watch = watch;
    SSL_CTX_set_verify(context, SSL_CTX_get_verify_mode(context), on_verify);
    SSL_CTX_set_info_callback(context, on_info);
    SSL_CTX_set_cert_cb(context, on_asked, NULL);
    return true;
failed:
    free(watch);
    return false;
}

/* ---- words ---- */

/* The alerts about a client's certificate: RFC 8446 section 6.2. */
static bool is_about_certificate(int alert)
{
    switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_CERTIFICATE_REQUIRED: return true;
    default: return false;
    }
}

/* Before TLS 1.3 a missing certificate is a handshake_failure, which can mean other things too. */
bool handshake_wants_certificate(const struct handshake *h)
{
    return h->asked_for_certificate &&
           (is_about_certificate(h->alert) || h->alert == SSL_AD_HANDSHAKE_FAILURE);
}

static void alert_words(const struct handshake *h, bool has_certificate, const char *tls_min,
                        char *text, size_t size)
{
    const char *alert = SSL_alert_desc_string_long(h->alert);
    if (handshake_wants_certificate(h) && has_certificate)
        snprintf(text, size, "the endpoint refuses our client certificate (%s)", alert);
    else if (handshake_wants_certificate(h))
        snprintf(text, size, "the endpoint wants a client certificate (cert_file, key_file)");
    else if (h->alert == SSL_AD_PROTOCOL_VERSION)
        snprintf(text, size, "no TLS version in common: here TLS %s is the least (tls_min)",
                 tls_min);
    else if (h->alert == SSL_AD_UNRECOGNIZED_NAME)
        snprintf(text, size, "the endpoint's TLS serves no host of this name");
    else
        snprintf(text, size, "the endpoint ended the TLS handshake (%s)", alert);
}

static void verify_words(const struct handshake *h, char *text, size_t size)
{
    const char *whose = h->depth == 0 ? "the endpoint's certificate"
                                      : "a certificate of an authority in the endpoint's chain";
    const char *issuer = *h->issuer != '\0' ? h->issuer : "no name";
    switch (h->verify_error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        snprintf(text, size, "%s expired on %s", whose, h->when);
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        snprintf(text, size, "%s is not valid before %s: is this machine's clock right?", whose,
                 h->when);
        break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        snprintf(text, size, "%s is self-signed: to trust it, name it in ca_file", whose);
        break;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        snprintf(text, size, "the endpoint's authority, \"%s\", is not trusted here (ca_file)",
                 issuer);
        break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        snprintf(text, size,
                 "the certificate of \"%s\", which issued %s, was not sent and is not known here: "
                 "the endpoint must send its intermediate certificates, or ca_file name its own "
                 "authority",
                 issuer, whose);
        break;
    default:
        snprintf(text, size, "%s is refused: %s", whose,
                 X509_verify_cert_error_string(h->verify_error));
    }
}

bool handshake_words(const struct handshake *h, bool has_certificate, const char *tls_min,
                     char *text, size_t size)
{
    if (h->verify_error != 0)
        verify_words(h, text, size);
    else if (h->alert != 0)
        alert_words(h, has_certificate, tls_min, text, size);
    else
        return false;
    return true;
}
