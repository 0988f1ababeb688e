<?php
/**
 * Must-use plugin of the tests: what goes wrong in a shop, at the moment that the file TEST_FAULT names.
 *
 *   kill N         the worker is killed (SIGKILL) before the request's Nth statement
 *   kill answer    the same behind the last one, before the answer
 *   fail N         the request's Nth statement is an error, all others are not
 *   disconnect N   the connection to the database is killed before the Nth statement
 *   throw | exit | echo | commit | rollback | slow   a handler of elementor_sync_order does that
 *   exit behind | throw behind   a handler of elementor_sync_order_stored does that
 *
 * The header x-statements of each answer says how many statements there were.
 */
define( 'ELEMENTOR_PRO_VERSION', '3.21.0' ); // stands in for it; the plugin looks for its tables too

add_filter( 'pre_wp_mail', '__return_true' );

$test_fault = is_file( TEST_FAULT ) ? explode( ' ', trim( file_get_contents( TEST_FAULT ) ) ) : array( '' );
$test_count = 0;

// Counts from the moment the route is called: what WordPress reads before is not the plugin's.
add_filter(
	'rest_request_before_callbacks',
	function ( $response ) use ( $test_fault ) {
		global $test_count;
		$test_count = 0;
		add_filter(
			'query',
			function ( $sql ) use ( $test_fault ) {
				global $test_count, $wpdb;
				++$test_count;
				$now = (string) $test_count;
				if ( array( 'kill', $now ) === $test_fault ) {
					posix_kill( getmypid(), 9 );
				}
				if ( array( 'disconnect', $now ) === $test_fault ) {
					$other = mysqli_init();
					mysqli_real_connect( $other, 'localhost', DB_USER, '', DB_NAME, 0, explode( ':', DB_HOST )[1] );
					mysqli_query( $other, 'KILL CONNECTION ' . mysqli_thread_id( $wpdb->dbh ) );
				}
				return array( 'fail', $now ) === $test_fault ? 'SELECT FROM nothing' : $sql;
			}
		);
		return $response;
	}
);

add_filter(
	'rest_post_dispatch',
	function ( $response ) use ( $test_fault ) {
		global $test_count;
		if ( array( 'kill', 'answer' ) === $test_fault ) {
			posix_kill( getmypid(), 9 );
		}
		$response->header( 'x-statements', (string) $test_count );
		return $response;
	}
);

add_action(
	'elementor_sync_order',
	function ( $fields, $post_id, $id ) use ( $test_fault ) {
		global $wpdb;
		if ( ! $wpdb->insert( $wpdb->options, array( 'option_name' => 'handled-' . $id . '-' . wp_generate_uuid4(), 'option_value' => $post_id ) ) ) {
			throw new Error( 'a handler could not write' );
		}
		switch ( implode( ' ', $test_fault ) ) {
			case 'throw':
				throw new Error( 'a handler failed' );
			case 'exit':
				exit( 'a handler ended PHP' );
			case 'echo':
				echo 'a handler talks';
				break;
			case 'commit':
				$wpdb->query( 'COMMIT' );
				throw new Error( 'a handler committed, then failed' );
			case 'rollback':
				$wpdb->query( 'ROLLBACK' );
				break;
			case 'slow':
				usleep( 300000 );
				break;
		}
	},
	10,
	3
);

add_action(
	'elementor_sync_order_stored',
	function () use ( $test_fault ) {
		switch ( implode( ' ', $test_fault ) ) {
			case 'exit behind':
				exit( 'a handler ended PHP' );
			case 'throw behind':
				throw new Error( 'a handler failed' );
		}
	}
);
