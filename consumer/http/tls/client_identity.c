#include "http/tls/client_identity.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 256 * 1024 };

static void wipe(char *text, size_t len)
{
    if (text != NULL)
        OPENSSL_cleanse(text, len);
    free(text);
}

/* The whole file with a NUL behind it; NULL with err, which begins with the option's name. */
static char *read_file(const char *option, const char *name, const char *path, size_t *ret_len,
                       struct error *err)
{
    FILE *file = fopen(path, "re");
    char *text = malloc(FILE_BYTES_MAX + 1);
    bool opened = file != NULL;
    size_t len = opened && text != NULL ? fread(text, 1, FILE_BYTES_MAX + 1, file) : 0;
    bool failed = !opened || ferror(file) != 0;
    int cause = errno;
    if (opened)
        fclose(file);
    if (text == NULL)
        error_no_memory(err);
    else if (failed)
        error_set(err, ERROR_CONFIG, "%s%s: %s cannot be read: %s", option, name, path,
                  strerror(cause));
    else if (len > FILE_BYTES_MAX)
        error_set(err, ERROR_CONFIG, "%s%s: %s is larger than %d KiB", option, name, path,
                  FILE_BYTES_MAX / 1024);
    if (text == NULL || failed || len > FILE_BYTES_MAX) {
        wipe(text, FILE_BYTES_MAX + 1);
        return NULL;
    }
    text[len] = '\0';
    *ret_len = len;
    return text;
}

/* OpenSSL would ask for a passphrase at the terminal. */
static int no_passphrase(char *text, int size, int writing, void *asked)
{
    (void)text, (void)size, (void)writing;
    *(bool *)asked = true;
    return 0;
}

static X509 *parse_certificate(const struct client_identity *identity)
{
    BIO *bio = BIO_new_mem_buf(identity->certificate, (int)identity->certificate_len);
    X509 *certificate = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    return certificate;
}

static EVP_PKEY *parse_key(const struct client_identity *identity, bool *ret_encrypted)
{
    BIO *bio = BIO_new_mem_buf(identity->key, (int)identity->key_len);
    EVP_PKEY *key =
        bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, ret_encrypted) : NULL;
    BIO_free(bio);
    return key;
}

static bool check_pair(const struct client_identity *identity, const char *option,
                       const char *certificate_path, const char *key_path, struct error *err)
{
    bool encrypted = false;
    X509 *certificate = parse_certificate(identity);
    EVP_PKEY *key = parse_key(identity, &encrypted);
    if (certificate == NULL)
        error_set(err, ERROR_CONFIG,
                  "%scert_file: %s holds no certificate in PEM (-----BEGIN CERTIFICATE-----)",
                  option, certificate_path);
    else if (key == NULL && encrypted)
        error_set(err, ERROR_CONFIG,
                  "%skey_file: %s needs a passphrase; write the key without one (openssl pkey -in "
                  "KEY -out FILE) and chmod 600 it",
                  option, key_path);
    else if (key == NULL)
        error_set(err, ERROR_CONFIG,
                  "%skey_file: %s holds no private key in PEM (-----BEGIN PRIVATE KEY-----)",
                  option, key_path);
    else if (X509_check_private_key(certificate, key) != 1)
        error_set(err, ERROR_CONFIG,
                  "%skey_file: %s is not the key of the certificate in %s; the certificate itself "
                  "must be the first of its file",
                  option, key_path, certificate_path);
    bool ok = err->code == ERROR_NONE;
    X509_free(certificate);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return ok;
}

struct client_identity *client_identity_read(const char *option, const char *certificate_path,
                                             const char *key_path, struct error *err)
{
    static uint64_t last_number;
    struct error why = {0};
    struct client_identity *identity = calloc(1, sizeof *identity);
    if (identity == NULL)
        error_no_memory(&why);
    if (identity != NULL &&
        (identity->certificate = read_file(option, "cert_file", certificate_path,
                                           &identity->certificate_len, &why)) != NULL &&
        (identity->key = read_file(option, "key_file", key_path, &identity->key_len, &why)) !=
            NULL &&
        check_pair(identity, option, certificate_path, key_path, &why)) {
        identity->number = __atomic_add_fetch(&last_number, 1, __ATOMIC_RELAXED);
        return identity;
    }
    error_set(err, why.code, "%s", why.text);
    client_identity_free(identity);
    return NULL;
}

void client_identity_free(struct client_identity *identity)
{
    if (identity == NULL)
        return;
    free(identity->certificate);
    wipe(identity->key, identity->key_len);
    free(identity);
}
