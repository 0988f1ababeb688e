<?php
/* receiver.php: takes the orders that elementor-sync sends, each once. Any PHP >= 8.1 with PDO.
 *
 *   WEBHOOK_SIGNING_KEYS   whsec_…, the same as the program's; several with a space between while they rotate
 *   ORDERS_DSN             PDO's name of the database, "sqlite:/var/lib/orders.db"; MySQL and PostgreSQL do as well
 *
 * The claim of the webhook-id and the work stand in one transaction: a second request with this id waits for the
 * first one's, and whatever dies in between leaves nothing. Ids are kept for good. */
declare(strict_types=1);

const TOLERANCE_SECONDS = 300;

function answer(int $status, array $what): never
{
    http_response_code($status);
    header('Content-Type: application/json');
    exit(json_encode($what));
}

/* $body: the bytes as they came; a body that was parsed and written again has another signature. */
function is_signed(string $id, string $time, string $signatures, string $body): bool
{
    if ($id === '' || !ctype_digit($time) || abs(time() - (int) $time) > TOLERANCE_SECONDS) {
        return false;
    }
    foreach (preg_split('/[\s,]+/', (string) getenv('WEBHOOK_SIGNING_KEYS'), -1, PREG_SPLIT_NO_EMPTY) as $word) {
        $key = str_starts_with($word, 'whsec_') ? base64_decode(substr($word, 6), true) : false;
        if ($key === false || strlen($key) < 24) {
            throw new RuntimeException('WEBHOOK_SIGNING_KEYS: a key is whsec_ and the base64 of 24 bytes or more');
        }
        $wanted = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$time.$body", $key, true));
        foreach (explode(' ', $signatures) as $signature) {
            if (hash_equals($wanted, $signature)) {
                return true;
            }
        }
    }
    return false;
}

function open_database(): PDO
{
    $db = new PDO(getenv('ORDERS_DSN') ?: 'sqlite:orders.db', null, null, [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_TIMEOUT => 10]);
    $db->exec('CREATE TABLE IF NOT EXISTS claims (webhook_id VARCHAR(255) NOT NULL PRIMARY KEY)');
    $db->exec('CREATE TABLE IF NOT EXISTS orders (order_id VARCHAR(255) NOT NULL, body TEXT NOT NULL)');
    return $db;
}

/* False: the id was claimed before. */
function store_once(PDO $db, string $id, string $order_id, string $body): bool
{
    $db->beginTransaction();
    try {
        $claim = $db->prepare('INSERT INTO claims SELECT ? WHERE NOT EXISTS (SELECT 1 FROM claims WHERE webhook_id = ?)');
        $claim->execute([$id, $id]);
        if ($claim->rowCount() === 0) {
            $db->rollBack();
            return false;
        }
        // The work: here, one row. An act that cannot be rolled back (an e-mail) comes behind the commit.
        $db->prepare('INSERT INTO orders VALUES (?, ?)')->execute([$order_id, $body]);
        $db->commit();
        return true;
    } catch (Throwable $e) {
        if ($db->inTransaction()) {
            $db->rollBack();
        }
        throw $e;
    }
}

http_response_code(500); // until it is known better, whatever ends this script
$body = file_get_contents('php://input');
$id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
try {
    if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
        answer(405, ['ok' => false, 'error' => 'POST is meant']);
    }
    if (!is_signed($id, $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '', $body)) {
        answer(401, ['ok' => false, 'error' => 'the signature does not fit, or the clocks are 5 minutes apart']);
    }
    if (($_SERVER['HTTP_WEBHOOK_SOURCE'] ?? '') === 'ping') {
        answer(200, ['ok' => true]);
    }
    $order = json_decode($body, true);
    if (!is_string($order['fields']['order_id'] ?? null)) {
        answer(422, ['ok' => false, 'error' => 'no order']);
    }
    answer(200, ['ok' => true, 'duplicate' => !store_once(open_database(), $id, $order['fields']['order_id'], $body)]);
} catch (Throwable $e) {
    error_log($e->getMessage());
    answer(500, ['ok' => false, 'error' => 'not stored']);
}
