<?php
/**
 * Plugin Name:       elementor-sync receiver
 * Description:       Takes the confirmed orders that elementor-sync sends: verified, each once, with the database's own digits.
 * Version:           1.0.0
 * Requires at least: 5.6
 * Requires PHP:      8.0
 * License:           MIT
 *
 * POST /wp-json/elementor-sync/v1/orders takes a body of payload.shape nested or flat, signed as the Standard
 * Webhooks specification says (webhook.signing_keys of the program, the same key here). It stores a post of type
 * elementor_sync_order with a meta value for each field, adds a Submission where Elementor Pro is active, and fires
 *
 *   do_action( 'elementor_sync_order', array $fields, int $post_id, string $webhook_id )         before the commit
 *   do_action( 'elementor_sync_order_stored', array $fields, int $post_id, string $webhook_id )  behind it
 *
 * What a handler of the first one writes to WordPress' database is kept or lost together with the order; if it
 * throws, nothing is kept and the order is sent again. An act that cannot be undone (an e-mail) belongs to the second,
 * which happens once at most. All values are text: an amount is "1250.50" as it was in PostgreSQL.
 *
 * Three things make each order one post, whatever dies at whatever moment:
 *
 *   the claim     the webhook-id is inserted under a unique key before anything else, so a second request with it
 *                 waits for the first one's transaction
 *   one commit    claim, post, Submission and the handlers' rows stand in one transaction
 *   the answer    is 500 until the commit has succeeded, even if a handler ends PHP
 */

namespace ElementorSync;

if ( ! defined( 'ABSPATH' ) ) {
	exit;
}

const POST_TYPE         = 'elementor_sync_order';
const META              = '_elementor_sync_'; // before a field's name
const KEYS_OPTION       = 'elementor_sync_keys';
const SCHEMA_OPTION     = 'elementor_sync_schema';
const SCHEMA            = '1';
const PAGE              = 'elementor-sync';
const PING              = 'elementor_sync_ping'; // form_name of elementor-sync check --ping-webhook
const TOLERANCE_SECONDS = 300;
const LOCK_SECONDS      = 10;
const ID_BYTES_MAX      = 255;

add_action( 'init', __NAMESPACE__ . '\register_orders' );
add_action( 'rest_api_init', __NAMESPACE__ . '\register_route' );
add_action( 'admin_menu', __NAMESPACE__ . '\add_page' );
add_action( 'admin_init', __NAMESPACE__ . '\register_settings' );
register_activation_hook( __FILE__, __NAMESPACE__ . '\create_claims' );
register_uninstall_hook( __FILE__, __NAMESPACE__ . '\uninstall' );

// ---- the route ----

function register_route() {
	register_rest_route(
		'elementor-sync/v1',
		'/orders',
		array(
			'methods'             => 'POST',
			'permission_callback' => __NAMESPACE__ . '\verify',
			'callback'            => __NAMESPACE__ . '\receive',
		)
	);
}

function refusal( $status, $code, $message ) {
	return new \WP_Error( 'elementor_sync_' . $code, $message, array( 'status' => $status ) );
}

/** @return true|\WP_Error */
function verify( \WP_REST_Request $request ) {
	$keys = signing_keys( keys_text() );
	if ( array() === $keys ) {
		return refusal( 503, 'no_key', 'No signing key: set one under Settings, or ELEMENTOR_SYNC_KEYS in wp-config.php.' );
	}
	$id   = (string) $request->get_header( 'webhook-id' );
	$time = (string) $request->get_header( 'webhook-timestamp' );
	if ( ! preg_match( '/^[!-~]{1,' . ID_BYTES_MAX . '}$/D', $id ) || ! preg_match( '/^[0-9]{1,12}$/D', $time ) ) {
		return refusal( 401, 'unsigned', 'webhook-id or webhook-timestamp is missing or malformed.' );
	}
	if ( abs( time() - (int) $time ) > TOLERANCE_SECONDS ) {
		return refusal( 401, 'stale', 'webhook-timestamp is more than 5 minutes off: see to the clocks of both servers.' );
	}
	$signed = $id . '.' . $time . '.' . $request->get_body(); // the bytes as they came
	foreach ( explode( ' ', (string) $request->get_header( 'webhook-signature' ) ) as $signature ) {
		foreach ( $keys as $key ) {
			if ( hash_equals( 'v1,' . base64_encode( hash_hmac( 'sha256', $signed, $key, true ) ), $signature ) ) {
				return true;
			}
		}
	}
	return refusal( 401, 'signature', 'No signature fits a key that is set here: is it one of webhook.signing_keys?' );
}

/** @return \WP_REST_Response|\WP_Error */
function receive( \WP_REST_Request $request ) {
	status_header( 500 ); // Holds if a handler ends PHP; WordPress sets the answer's own behind it.
	$id = $request->get_header( 'webhook-id' );
	try {
		$payload = decode( $request->get_body() );
		if ( PING === ( $payload['form_name'] ?? null ) ) {
			return new \WP_REST_Response( array( 'ok' => true, 'ping' => true ) );
		}
		$fields = fields_of( $payload );
		if ( null === $fields ) {
			return refusal( 422, 'body', 'The body is no order: set payload.shape=nested or flat.' );
		}
		list( $post_id, $is_new ) = store_once( $id, $fields, $request->get_body() );
	} catch ( \Throwable $e ) {
		error_log( 'elementor-sync: ' . $id . ' not stored: ' . $e->getMessage() );
		return refusal( 500, 'failed', $e->getMessage() );
	}
	if ( $is_new ) {
		tell_stored( $fields, $post_id, $id );
	}
	return new \WP_REST_Response( array( 'ok' => true, 'duplicate' => ! $is_new, 'post_id' => $post_id ) );
}

/** The order is stored: no handler can change the answer any more, unless it ends PHP; then a duplicate follows. */
function tell_stored( array $fields, $post_id, $id ) {
	try {
		do_action( 'elementor_sync_order_stored', $fields, $post_id, $id );
	} catch ( \Throwable $e ) {
		error_log( 'elementor-sync: a handler of elementor_sync_order_stored failed: ' . $e->getMessage() );
	}
}

// ---- the body ----

/**
 * json_decode() with each number as the text that it is: a float would make 1250.5 of 1250.50.
 *
 * @return array|null null: no JSON object
 */
function decode( $body ) {
	if ( ! is_array( json_decode( $body, true ) ) ) {
		return null;
	}
	$quoted = preg_replace_callback(
		'/"(?:[^"\\\\]++|\\\\.)*+"|-?[0-9][0-9.eE+-]*+/s',
		function ( $token ) {
			return '"' === $token[0][0] ? $token[0] : '"' . $token[0] . '"';
		},
		$body
	);
	if ( null === $quoted ) {
		throw new \RuntimeException( 'PCRE: ' . preg_last_error_msg() );
	}
	return json_decode( $quoted, true );
}

/** @return array<string,string|null>|null null: this is no order */
function fields_of( $payload ) {
	$fields = $payload['fields'] ?? $payload;
	if ( ! is_array( $fields ) || ! is_string( $fields['order_id'] ?? null ) || '' === $fields['order_id'] ) {
		return null;
	}
	foreach ( $fields as $value ) {
		if ( null !== $value && ! is_string( $value ) ) {
			return null;
		}
	}
	$fields['form_name'] = is_string( $payload['form_name'] ?? null ) ? $payload['form_name'] : '';
	return $fields;
}

// ---- one order, once ----

function claims_table() {
	global $wpdb;
	return $wpdb->prefix . 'elementor_sync_claims';
}

/** Runs one statement. wpdb reports errors by false, and a forgotten look at it would answer 200 for nothing. */
function run( $sql ) {
	global $wpdb;
	$rows = $wpdb->query( $sql );
	if ( false === $rows ) {
		throw new \RuntimeException( 'database: ' . $wpdb->last_error );
	}
	return $rows;
}

/** What was read, unless reading it failed: wpdb makes no difference between that and nothing found. */
function read( $found ) {
	global $wpdb;
	if ( '' !== $wpdb->last_error ) {
		throw new \RuntimeException( 'database: ' . $wpdb->last_error );
	}
	return $found;
}

function must( $value, $what ) {
	global $wpdb;
	if ( false === $value || 0 === $value || is_wp_error( $value ) ) {
		$why = is_wp_error( $value ) ? $value->get_error_message() : $wpdb->last_error;
		throw new \RuntimeException( $what . ' could not be stored: ' . $why );
	}
	return $value;
}

/**
 * Stores the order unless its webhook-id is known.
 *
 * @return array{0:int,1:bool} the post, and whether it is new
 * @throws \Throwable Nothing was kept, unless a handler committed by itself.
 */
function store_once( $id, array $fields, $body ) {
	global $wpdb;
	if ( SCHEMA !== get_option( SCHEMA_OPTION ) ) {
		create_claims();
	}
	must_be_transactional();
	// wpdb would go on behind a lost connection on a new one, that is outside the transaction.
	$wpdb->reconnect_retries = 0;
	run( 'SET SESSION innodb_lock_wait_timeout = ' . LOCK_SECONDS );
	run( 'START TRANSACTION' );
	$post_id = 0;
	try {
		$claim = claim( $id );
		if ( ! $claim->finished ) {
			$post_id = (int) $claim->post_id;
			if ( 0 === $post_id ) {
				$post_id = insert_post( $id, $fields, $body );
				add_submission( $id, $fields, $post_id );
				run( $wpdb->prepare( 'UPDATE ' . claims_table() . ' SET post_id = %d WHERE webhook_id = %s', $post_id, $id ) );
			}
			do_action( 'elementor_sync_order', $fields, $post_id, $id );
			$finished = $wpdb->prepare( 'UPDATE ' . claims_table() . ' SET finished = 1 WHERE webhook_id = %s AND finished = 0', $id );
			if ( 1 !== run( $finished ) ) {
				throw new \RuntimeException( 'the claim is gone: a handler rolled back, or the connection was lost' );
			}
		}
		run( 'COMMIT' );
	} catch ( \Throwable $e ) {
		$wpdb->query( 'ROLLBACK' );
		clean_post_cache( $post_id ); // A persistent cache would remember what was rolled back.
		throw $e;
	}
	return array( $claim->finished ? (int) $claim->post_id : $post_id, ! $claim->finished );
}

/**
 * Locks the id's row, which is made where it is missing; waits while another request has it.
 *
 * A row that is not finished and was there before is left by a handler that committed halfway: its work goes on,
 * with the post that was made.
 */
function claim( $id ) {
	global $wpdb;
	$table = claims_table();
	run(
		$wpdb->prepare(
			"INSERT INTO $table (webhook_id, claimed_at) VALUES (%s, UTC_TIMESTAMP()) ON DUPLICATE KEY UPDATE webhook_id = webhook_id",
			$id
		)
	);
	$row = read( $wpdb->get_row( $wpdb->prepare( "SELECT post_id, finished FROM $table WHERE webhook_id = %s FOR UPDATE", $id ) ) );
	$row->finished = (bool) $row->finished;
	return $row;
}

/** wp_insert_post() and add_post_meta() take slashes away: what they get must have them, once. */
function insert_post( $id, array $fields, $body ) {
	$number  = (string) ( $fields['order_number'] ?? '' );
	$post    = array(
		'post_type'   => POST_TYPE,
		'post_status' => 'private',
		'post_title'  => '' !== $number ? $number : $fields['order_id'],
		'post_name'   => hash( 'sha256', $id ), // WordPress would look for a free one among those of the same title.
	);
	$post_id = must( wp_insert_post( wp_slash( $post ), true ), 'the post' );
	$values  = array( 'webhook_id' => $id, 'body' => $body ) + $fields;
	foreach ( $values as $name => $value ) {
		if ( null !== $value ) {
			must( add_post_meta( $post_id, wp_slash( META . $name ), wp_slash( $value ), true ), $name );
		}
	}
	return $post_id;
}

/** As Elementor Pro 3.2 and later keeps a form that was sent: one row, one of values for each field, one log. */
function add_submission( $id, array $fields, $post_id ) {
	global $wpdb;
	$table = $wpdb->prefix . 'e_submissions';
	$named = $wpdb->prepare( 'SHOW TABLES LIKE %s', $wpdb->esc_like( $table ) );
	if ( ! defined( 'ELEMENTOR_PRO_VERSION' ) || null === read( $wpdb->get_var( $named ) ) ) {
		return;
	}
	$times = array( 'created_at_gmt' => current_time( 'mysql', true ), 'created_at' => current_time( 'mysql' ) );
	$times = $times + array( 'updated_at_gmt' => $times['created_at_gmt'], 'updated_at' => $times['created_at'] );
	$row   = array(
		'type'                    => 'submission',
		'hash_id'                 => substr( hash( 'sha256', $id ), 0, 60 ), // unique too
		'main_meta_id'            => 0,
		'post_id'                 => $post_id,
		'referer'                 => '',
		'referer_title'           => 'elementor-sync',
		'element_id'              => 'elementor-sync',
		'form_name'               => mb_substr( $fields['form_name'], 0, 60 ),
		'campaign_id'             => 0,
		'user_ip'                 => '',
		'user_agent'              => 'elementor-sync',
		'actions_count'           => 1,
		'actions_succeeded_count' => 1,
		'status'                  => 'new',
		'meta'                    => wp_json_encode( array( 'webhook_id' => $id ) ),
	);
	must( $wpdb->insert( $table, $row + $times ), 'the Submission' );
	$submission = $wpdb->insert_id;
	foreach ( array_diff_key( $fields, array( 'form_name' => 0 ) ) as $key => $value ) {
		$pair = array( 'submission_id' => $submission, 'key' => $key, 'value' => (string) $value );
		must( $wpdb->insert( $table . '_values', $pair ), "the Submission's $key" );
		if ( 'client_name' === $key ) {
			must( $wpdb->update( $table, array( 'main_meta_id' => $wpdb->insert_id ), array( 'id' => $submission ) ), 'the Submission' );
		}
	}
	$log = array(
		'submission_id' => $submission,
		'action_name'   => 'elementor-sync',
		'action_label'  => 'elementor-sync',
		'status'        => 'success',
		'log'           => $id,
	);
	must( $wpdb->insert( $table . '_actions_log', $log + $times ), "the Submission's log" );
}

/** MyISAM, of old shops, would keep half an order. */
function must_be_transactional() {
	global $wpdb;
	$tables = array( claims_table(), $wpdb->posts, $wpdb->postmeta );
	foreach ( array( '', '_values', '_actions_log' ) as $end ) {
		$tables[] = $wpdb->prefix . 'e_submissions' . $end;
	}
	$sql   = 'SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND ENGINE <> %s AND TABLE_NAME IN ('
		. implode( ', ', array_fill( 0, count( $tables ), '%s' ) ) . ')';
	$wrong = read( $wpdb->get_col( $wpdb->prepare( $sql, array_merge( array( 'InnoDB' ), $tables ) ) ) );
	if ( array() !== $wrong ) {
		throw new \RuntimeException( implode( ', ', $wrong ) . ' cannot take part in a transaction: ALTER TABLE … ENGINE=InnoDB' );
	}
}

/** Claims are kept for good: a parked order may be sent again after months, and a row has a hundred bytes. */
function create_claims() {
	global $wpdb;
	$table = claims_table();
	run(
		"CREATE TABLE IF NOT EXISTS $table (
			webhook_id VARBINARY(" . ID_BYTES_MAX . ') NOT NULL PRIMARY KEY,
			post_id BIGINT UNSIGNED NOT NULL DEFAULT 0,
			finished TINYINT NOT NULL DEFAULT 0,
			claimed_at DATETIME NOT NULL
		) ENGINE=InnoDB'
	);
	update_option( SCHEMA_OPTION, SCHEMA );
}

/** The orders stay: they are the shop's. */
function uninstall() {
	global $wpdb;
	$wpdb->query( 'DROP TABLE IF EXISTS ' . claims_table() );
	delete_option( SCHEMA_OPTION );
	delete_option( KEYS_OPTION );
}

// ---- keys ----

function keys_text() {
	return (string) ( defined( 'ELEMENTOR_SYNC_KEYS' ) ? ELEMENTOR_SYNC_KEYS : get_option( KEYS_OPTION, '' ) );
}

/** @return string[] The keys' bytes; empty where one of them is malformed: an unsigned route must not come of a typing error. */
function signing_keys( $text ) {
	$keys = array();
	foreach ( preg_split( '/[\s,]+/', $text, -1, PREG_SPLIT_NO_EMPTY ) as $word ) {
		$key = str_starts_with( $word, 'whsec_' ) ? base64_decode( substr( $word, 6 ), true ) : false;
		if ( false === $key || strlen( $key ) < 24 || strlen( $key ) > 64 ) {
			return array();
		}
		$keys[] = $key;
	}
	return $keys;
}

// ---- for the people in wp-admin ----

/** Orders hold personal data: administrators alone see them, nobody writes them by hand. */
function register_orders() {
	$rights = array( 'edit_post', 'read_post', 'delete_post', 'edit_posts', 'edit_others_posts', 'delete_posts', 'publish_posts', 'read_private_posts' );
	register_post_type(
		POST_TYPE,
		array(
			'labels'               => array( 'name' => 'Confirmed orders', 'singular_name' => 'Confirmed order' ),
			'public'               => false,
			'show_ui'              => true,
			'menu_icon'            => 'dashicons-cart',
			'supports'             => array( 'title' ),
			'capabilities'         => array_fill_keys( $rights, 'manage_options' ) + array( 'create_posts' => 'do_not_allow' ),
			'map_meta_cap'         => false,
			'register_meta_box_cb' => function () {
				add_meta_box( 'elementor_sync_fields', 'As it was sent', __NAMESPACE__ . '\show_fields', POST_TYPE, 'normal', 'high' );
			},
		)
	);
}

function show_fields( \WP_Post $post ) {
	echo '<table class="widefat striped">';
	foreach ( get_post_meta( $post->ID ) as $name => $values ) {
		if ( str_starts_with( $name, META ) && META . 'body' !== $name ) {
			printf( '<tr><th>%s</th><td>%s</td></tr>', esc_html( substr( $name, strlen( META ) ) ), nl2br( esc_html( $values[0] ) ) );
		}
	}
	echo '</table>';
}

function add_page() {
	add_options_page( 'elementor-sync', 'elementor-sync', 'manage_options', PAGE, __NAMESPACE__ . '\show_page' );
}

/** options.php itself checks the capability and the nonce of a registered setting. */
function register_settings() {
	register_setting( PAGE, KEYS_OPTION, array( 'sanitize_callback' => __NAMESPACE__ . '\checked_keys' ) );
	if ( false === get_option( KEYS_OPTION ) ) {
		add_option( KEYS_OPTION, '', '', 'no' ); // not read with every page
	}
}

/** What is not understood changes nothing, and nothing at all is no change: the page does not show what is set. */
function checked_keys( $text ) {
	$text = trim( (string) $text );
	if ( '' === $text || $text === keys_text() ) {
		return (string) get_option( KEYS_OPTION, '' );
	}
	if ( array() === signing_keys( $text ) ) {
		add_settings_error( KEYS_OPTION, 'malformed', 'A key is whsec_ and the base64 of 24 to 64 bytes. The former keys still hold.' );
		return (string) get_option( KEYS_OPTION, '' );
	}
	return $text;
}

function show_page() {
	if ( ! current_user_can( 'manage_options' ) ) {
		return;
	}
	$count = count( signing_keys( keys_text() ) );
	echo '<div class="wrap"><h1>elementor-sync</h1>';
	printf( '<p>Orders come to <code>%s</code>: the program\'s ELEMENTOR_WEBHOOK_URL.</p>', esc_html( rest_url( 'elementor-sync/v1/orders' ) ) );
	printf( '<p>%d signing keys are set. Without one, nothing is taken.</p>', (int) $count );
	if ( defined( 'ELEMENTOR_SYNC_KEYS' ) ) {
		echo '<p>They come from ELEMENTOR_SYNC_KEYS in wp-config.php, which goes before what is set here.</p></div>';
		return;
	}
	echo '<form method="post" action="options.php">';
	settings_fields( PAGE );
	printf( '<p><textarea name="%s" rows="3" class="large-text code" autocomplete="off" placeholder="whsec_…"></textarea></p>', esc_attr( KEYS_OPTION ) );
	echo '<p class="description">The same as the program\'s webhook.signing_keys; several while they rotate, with a space between. Empty: as they are.</p>';
	submit_button( 'Set the keys' );
	echo '</form></div>';
}
