<?php
// What PHP makes of a form, and whether it would have written the same bytes, as WordPress does.
$raw = file_get_contents('php://input');
echo json_encode(['post' => $_POST, 'same' => http_build_query($_POST, '', '&') === $raw], JSON_THROW_ON_ERROR);
