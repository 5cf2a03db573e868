-- Facts that hold at every moment (domain.md, "Invariants"). Each statement is named and must return no rows.
-- Read by `make doctor` and by tests. Append new ones; a statement ends with a semicolon.

-- name: stock_levels_are_sums_of_movements
SELECT s.offer_id, s.warehouse_id, s.on_hand, m.on_hand AS moved_on_hand, s.allocated, m.allocated AS moved_allocated
FROM stock_level s
LEFT JOIN (
    SELECT offer_id, warehouse_id, sum(on_hand_delta) AS on_hand, sum(allocated_delta) AS allocated
    FROM stock_movement GROUP BY offer_id, warehouse_id
) m ON m.offer_id = s.offer_id AND m.warehouse_id = s.warehouse_id
WHERE s.on_hand <> coalesce(m.on_hand, 0) OR s.allocated <> coalesce(m.allocated, 0);

-- name: movements_have_a_level
SELECT m.offer_id, m.warehouse_id FROM stock_movement m
LEFT JOIN stock_level s ON s.offer_id = m.offer_id AND s.warehouse_id = m.warehouse_id
WHERE s.offer_id IS NULL;

-- name: nothing_is_oversold
SELECT offer_id, warehouse_id, on_hand, allocated, reserved FROM stock_level
WHERE NOT forced AND allocated + reserved > on_hand;

-- name: reserved_is_the_sum_of_live_reservations
SELECT s.offer_id, s.warehouse_id, s.reserved, r.reserved AS held FROM stock_level s
LEFT JOIN (
    SELECT offer_id, warehouse_id, sum(quantity) AS reserved FROM reservation GROUP BY offer_id, warehouse_id
) r ON r.offer_id = s.offer_id AND r.warehouse_id = s.warehouse_id
WHERE s.reserved <> coalesce(r.reserved, 0);

-- name: stock_lies_in_warehouses_of_its_seller
SELECT s.offer_id, s.warehouse_id FROM stock_level s
JOIN offer o ON o.id = s.offer_id
JOIN warehouse w ON w.id = s.warehouse_id
WHERE w.seller_id <> o.seller_id;

-- name: the_last_price_change_is_the_price
SELECT o.id, o.price, c.new_price FROM offer o
JOIN LATERAL (
    SELECT new_price FROM price_change WHERE offer_id = o.id ORDER BY created_at DESC, id DESC LIMIT 1
) c ON true
WHERE c.new_price <> o.price;

-- name: ladders_only_get_cheaper
SELECT a.offer_id, a.from_quantity, a.price FROM offer_step a
JOIN offer o ON o.id = a.offer_id
LEFT JOIN LATERAL (
    SELECT min(price) AS price FROM offer_step b WHERE b.offer_id = a.offer_id AND b.from_quantity < a.from_quantity
) before ON true
WHERE a.price >= coalesce(before.price, o.price);

-- name: product_lists_show_what_offers_say
SELECT p.id, l.price_from, t.price_from AS true_price, l.offers_count, t.offers AS true_offers, l.available,
    t.available AS true_available
FROM (
    SELECT o.product_id, round(min(o.price::numeric * u.denominator / u.numerator)) AS price_from, count(*) AS offers,
        sum(coalesce(st.free, 0)) AS available
    FROM offer o
    JOIN seller s ON s.id = o.seller_id AND s.is_active
    JOIN product p ON p.id = o.product_id AND p.status = 'active'
    JOIN product_unit u ON u.product_id = o.product_id AND u.code = o.unit
    LEFT JOIN (
        SELECT sl.offer_id, sum(greatest(sl.on_hand - sl.allocated - sl.reserved - sl.safety, 0)) AS free
        FROM stock_level sl JOIN warehouse w ON w.id = sl.warehouse_id AND w.is_active GROUP BY sl.offer_id
    ) st ON st.offer_id = o.id
    WHERE o.status = 'active' GROUP BY o.product_id
) t
FULL JOIN product_listing l ON l.product_id = t.product_id
JOIN product p ON p.id = coalesce(t.product_id, l.product_id)
WHERE (l.price_from, l.offers_count, l.available) IS DISTINCT FROM (t.price_from, t.offers, t.available);

-- name: product_lists_show_what_cards_say
SELECT l.product_id FROM product_listing l JOIN product p ON p.id = l.product_id
WHERE (l.category_id, l.brand, l.truck_kg, l.search)
    IS DISTINCT FROM (p.category_id, p.brand, greatest(p.mass_kg, p.volume_m3 * 250)::numeric(14, 4), p.search)
    OR l.facets IS DISTINCT FROM coalesce((
        SELECT array_agg(a.key || ':' || v.text ORDER BY a.position, a.id)
        FROM product_value v JOIN attribute a ON a.id = v.attribute_id
        WHERE v.product_id = l.product_id AND a.is_facet), '{}'::text[]);

-- name: product_lists_show_the_price_of_each_seller
SELECT l.product_id FROM product_listing l
JOIN LATERAL (
    SELECT array_agg(seller_id ORDER BY seller_id) AS ids, array_agg(price ORDER BY seller_id) AS prices FROM (
        SELECT o.seller_id, round(min(o.price::numeric * u.denominator / u.numerator))::bigint AS price
        FROM offer o JOIN seller s ON s.id = o.seller_id AND s.is_active
        JOIN product_unit u ON u.product_id = o.product_id AND u.code = o.unit
        WHERE o.product_id = l.product_id AND o.status = 'active' GROUP BY o.seller_id) q
) t ON true
WHERE (l.seller_ids, l.seller_prices) IS DISTINCT FROM (t.ids, t.prices);

-- name: every_product_has_its_base_unit
SELECT p.id FROM product p
LEFT JOIN product_unit u ON u.product_id = p.id AND u.code = p.base_unit
WHERE u.product_id IS NULL OR u.numerator <> u.denominator;

-- name: a_product_has_at_most_one_content_unit
SELECT product_id FROM product_unit WHERE is_content GROUP BY product_id HAVING count(*) > 1;

-- name: paths_of_categories_lead_from_the_root
SELECT c.id, c.path FROM category c
LEFT JOIN category p ON p.id = c.parent_id
WHERE c.path <> coalesce(p.path, '{}'::bigint[]) || c.id OR c.depth <> cardinality(c.path);

-- name: a_job_makes_at_most_one_plan
SELECT job_id FROM route_plan WHERE job_id IS NOT NULL GROUP BY job_id HAVING count(*) > 1;

-- name: every_pickup_has_its_drop_later_on_the_same_route
SELECT s.route_id, s.delivery_id, s.lot FROM stop s
LEFT JOIN stop other ON other.route_id = s.route_id AND other.delivery_id = s.delivery_id AND other.lot = s.lot
    AND other.kind <> s.kind
WHERE other.id IS NULL OR s.kind = 'pickup' AND other.sequence <= s.sequence;

-- name: no_more_drops_in_a_plan_than_lots
SELECT r.plan_id, s.delivery_id FROM stop s JOIN route r ON r.id = s.route_id WHERE s.kind = 'drop'
GROUP BY r.plan_id, s.delivery_id HAVING count(*) > max(s.lots);

-- name: what_was_at_the_door_has_an_attempt
SELECT d.id FROM delivery d
WHERE d.state IN ('delivered', 'partially_delivered', 'failed', 'returning', 'returned')
    AND NOT EXISTS (SELECT FROM delivery_attempt a WHERE a.delivery_id = d.id);

-- name: a_delivery_is_concluded_once
SELECT delivery_id FROM delivery_attempt GROUP BY delivery_id HAVING count(*) > 1;

-- name: planned_deliveries_are_in_the_published_plan
SELECT d.id FROM delivery d WHERE d.state = 'planned' AND NOT EXISTS (
    SELECT FROM stop s JOIN route r ON r.id = s.route_id JOIN route_plan p ON p.id = r.plan_id
    WHERE s.delivery_id = d.id AND p.status = 'published');

-- name: a_purchase_is_the_sum_of_its_orders
SELECT g.number, g.total, o.total AS of_orders FROM order_group g
LEFT JOIN (
    SELECT group_id, sum(goods) AS goods, sum(delivery) AS delivery, sum(deposit) AS deposit, sum(total) AS total, sum(vat) AS vat
    FROM seller_order GROUP BY group_id
) o ON o.group_id = g.id
WHERE (g.goods, g.delivery, g.deposit, g.total, g.vat)
    IS DISTINCT FROM (o.goods, o.delivery, o.deposit, o.total, o.vat);

-- name: an_order_is_the_sum_of_its_lines_and_trips
SELECT o.number, o.goods, o.delivery, o.deposit FROM seller_order o
WHERE o.goods <> (SELECT coalesce(sum(l.gross), 0) FROM order_line l WHERE l.order_id = o.id)
    OR o.vat <> (SELECT coalesce(sum(l.vat), 0) FROM order_line l WHERE l.order_id = o.id)
    OR o.delivery <> (SELECT coalesce(sum(f.delivery_price), 0) FROM fulfilment f WHERE f.order_id = o.id)
    OR o.deposit <> (SELECT coalesce(sum(x.pallets * l.pallet_deposit), 0)
        FROM fulfilment_line x JOIN order_line l ON l.id = x.order_line_id WHERE l.order_id = o.id);

-- name: parts_of_a_payment_sum_to_it
SELECT p.id, p.amount FROM payment p
WHERE p.amount <> (SELECT coalesce(sum(s.amount), 0) FROM payment_split s WHERE s.payment_id = p.id);

-- name: what_is_asked_is_what_the_purchase_costs
SELECT p.id, p.amount, g.total FROM payment p JOIN order_group g ON g.id = p.group_id
WHERE p.status IN ('awaiting', 'overdue') AND p.amount <> g.total;

-- name: one_purchase_of_a_cart
SELECT cart_id FROM order_group GROUP BY cart_id HAVING count(*) > 1;

-- name: an_ordered_cart_has_its_purchase
SELECT c.id FROM cart c WHERE (c.status = 'ordered') <> EXISTS (SELECT FROM order_group g WHERE g.cart_id = c.id);

-- name: trips_carry_no_more_than_was_ordered
SELECT l.id, l.quantity_base FROM order_line l
WHERE l.quantity_base < (
    SELECT coalesce(sum(fl.quantity), 0) FROM fulfilment_line fl JOIN fulfilment f ON f.id = fl.fulfilment_id
    WHERE fl.order_line_id = l.id AND f.status <> 'cancelled');

-- name: allocated_stock_is_what_open_trips_carry
SELECT s.offer_id, s.warehouse_id, s.allocated, t.open FROM stock_level s
LEFT JOIN (
    SELECT l.offer_id, f.warehouse_id, sum(CASE
        WHEN f.status IN ('planned', 'picking', 'ready', 'handed_over', 'in_transit') THEN fl.quantity
        WHEN f.status IN ('partially_delivered', 'failed', 'returning') THEN fl.quantity - coalesce(fl.delivered, 0)
        ELSE 0 END) AS open
    FROM fulfilment f
    JOIN fulfilment_line fl ON fl.fulfilment_id = f.id
    JOIN order_line l ON l.id = fl.order_line_id
    GROUP BY l.offer_id, f.warehouse_id
) t ON t.offer_id = s.offer_id AND t.warehouse_id = s.warehouse_id
WHERE s.allocated <> coalesce(t.open, 0);

-- name: every_order_line_has_its_frozen_fee
SELECT l.id FROM order_line l WHERE NOT EXISTS (SELECT FROM commission_line c WHERE c.order_line_id = l.id);

-- name: reviews_are_of_goods_that_were_handed_over
SELECT r.id FROM review r
JOIN order_line l ON l.id = r.order_line_id
JOIN seller_order o ON o.id = l.order_id
JOIN order_group g ON g.id = o.group_id
JOIN product p ON p.id = l.product_id
WHERE g.user_id <> r.user_id OR coalesce(p.merged_into_id, p.id) <> r.product_id OR o.seller_id <> r.seller_id
    OR NOT EXISTS (SELECT FROM fulfilment_line f WHERE f.order_line_id = l.id AND f.delivered > 0);

-- name: money_goes_where_the_operator_confirmed
SELECT o.id, o.bank, c.after FROM organisation o
JOIN LATERAL (
    SELECT after FROM bank_change WHERE organisation_id = o.id AND state = 'confirmed'
    ORDER BY decided_at DESC, id DESC LIMIT 1
) c ON true
WHERE o.status IN ('approved', 'suspended') AND o.kind <> 'buyer' AND o.bank <> c.after;

-- name: holidays_begin_and_end_within_a_day
SELECT s.id, s.pause, s.holiday_from, s.holiday_until FROM seller s
CROSS JOIN (SELECT (now() AT TIME ZONE 'Europe/Moscow')::date AS today) d
WHERE (s.is_active AND s.holiday_from < d.today AND s.holiday_until >= d.today)
    OR (s.pause = 'holiday' AND (s.holiday_until IS NULL OR s.holiday_until < d.today - 1));

-- name: an_accepted_invitation_names_the_person
SELECT id FROM invitation WHERE (accepted_at IS NULL) <> (user_id IS NULL);

-- name: a_card_names_its_first_photograph
SELECT p.id, p.picture, i.name FROM product p
LEFT JOIN product_image i ON i.product_id = p.id AND i.position = 0
WHERE p.picture <> coalesce(i.name, '');

-- name: photographs_are_numbered_without_gaps
SELECT product_id FROM product_image WHERE position IS NOT NULL GROUP BY product_id
HAVING max(position) + 1 <> count(*);

-- name: nothing_points_at_a_merged_card
SELECT p.id FROM product p WHERE p.status = 'merged' AND (
    EXISTS (SELECT FROM offer o WHERE o.product_id = p.id)
    OR EXISTS (SELECT FROM product_listing l WHERE l.product_id = p.id)
    OR EXISTS (SELECT FROM product other WHERE other.merged_into_id = p.id));

-- name: what_came_by_bank_and_card_stands_on_the_payment
SELECT p.id, p.received, b.amount AS by_bank, c.amount AS by_card FROM payment p
LEFT JOIN (SELECT payment_id, sum(amount) AS amount FROM incoming_payment GROUP BY payment_id) b ON b.payment_id = p.id
LEFT JOIN (SELECT payment_id, sum(amount) AS amount FROM card_attempt WHERE state = 'paid' GROUP BY payment_id) c
    ON c.payment_id = p.id
WHERE p.received < coalesce(b.amount, 0) + coalesce(c.amount, 0);

-- name: an_unpaid_payment_has_not_come_whole
SELECT id, amount, received FROM payment WHERE status IN ('awaiting', 'overdue') AND received >= amount;

-- name: documents_are_numbered_without_gaps
SELECT seller_id, kind, year, count(*) AS issued, max(number) AS last FROM order_document
GROUP BY seller_id, kind, year HAVING count(*) <> max(number);

-- name: acts_say_what_the_ledger_says_was_sold
SELECT o.id, a.said, t.sold FROM seller_order o
JOIN (SELECT order_id, sum((payload ->> 'gross')::bigint) AS said, count(*) AS acts FROM order_document
    WHERE kind = 'act' GROUP BY order_id) a ON a.order_id = o.id
LEFT JOIN (SELECT order_id, sum(amount) AS sold FROM seller_transfer
    WHERE kind = 'sale' AND starts_with(reference, 'trip:') GROUP BY order_id) t ON t.order_id = o.id
WHERE a.said <> coalesce(t.sold, 0) AND a.acts = (SELECT count(DISTINCT f.id) FROM fulfilment f
    JOIN fulfilment_line l ON l.fulfilment_id = f.id WHERE f.order_id = o.id AND l.delivered > 0);

-- name: what_waits_was_asked_for
SELECT c.id FROM cart c
WHERE (c.status = 'waiting') <> EXISTS (SELECT FROM approval_request a WHERE a.cart_id = c.id AND a.status = 'waiting');

-- name: approvals_are_above_the_limit_and_become_the_buyers_purchase
SELECT a.id FROM approval_request a LEFT JOIN order_group g ON g.id = a.order_group_id
WHERE a.spent + a.total <= a.limit_was
    OR (a.status = 'approved' AND (g.user_id <> a.user_id OR g.cart_id <> a.cart_id
        OR g.organisation_id IS DISTINCT FROM a.organisation_id));

-- name: an_accepted_quote_has_one_order_at_its_prices
SELECT r.id, r.order_group_id FROM price_request r
WHERE r.status = 'accepted' AND (
    (SELECT count(*) FROM seller_order o WHERE o.group_id = r.order_group_id) <> 1
    OR (SELECT count(*) FROM price_request_line l WHERE l.request_id = r.id AND l.price IS NOT NULL)
        <> (SELECT count(*) FROM order_line ol JOIN seller_order o ON o.id = ol.order_id
            WHERE o.group_id = r.order_group_id)
    OR EXISTS (SELECT FROM price_request_line l WHERE l.request_id = r.id AND l.price IS NOT NULL AND NOT EXISTS (
        SELECT FROM order_line ol JOIN seller_order o ON o.id = ol.order_id
        WHERE o.group_id = r.order_group_id AND o.seller_id = r.seller_id AND ol.offer_id = l.offer_id
            AND ol.price = l.price AND ol.quantity = l.offered AND ol.price_rule = 'quote:' || r.public_id)));

-- name: a_quote_is_in_the_state_of_its_last_round
SELECT r.id, r.status, h.kind FROM price_request r
LEFT JOIN price_request_round h ON h.request_id = r.id AND h.number = r.rounds
WHERE h.kind IS DISTINCT FROM r.status;

-- name: what_came_back_is_the_sum_of_paid_refunds
SELECT s.id, s.amount, s.refunded, r.paid, r.waiting FROM payment_split s
LEFT JOIN (
    SELECT split_id, sum(amount) FILTER (WHERE status = 'paid') AS paid,
        sum(amount) FILTER (WHERE status IN ('requested', 'approved')) AS waiting
    FROM refund GROUP BY split_id
) r ON r.split_id = s.id
WHERE s.refunded <> coalesce(r.paid, 0) OR s.refunded + coalesce(r.waiting, 0) > s.amount;

-- name: a_payment_says_how_much_came_back
SELECT p.id, p.status, p.amount, s.refunded FROM payment p
JOIN (SELECT payment_id, sum(refunded) AS refunded FROM payment_split GROUP BY payment_id) s ON s.payment_id = p.id
WHERE CASE WHEN s.refunded = 0 THEN p.status IN ('partially_refunded', 'refunded')
    WHEN s.refunded < p.amount THEN p.status <> 'partially_refunded' ELSE p.status <> 'refunded' END;

-- name: a_refund_of_goods_is_the_sum_of_its_lines
SELECT r.id, r.goods FROM refund r
WHERE r.goods <> (SELECT coalesce(sum(l.amount), 0) FROM refund_line l WHERE l.refund_id = r.id);

-- name: no_line_gives_back_more_than_was_handed_over
SELECT l.id, l.gross FROM order_line l
WHERE l.gross < (
    SELECT coalesce(sum(rl.amount), 0) FROM refund_line rl JOIN refund r ON r.id = rl.refund_id
    WHERE rl.order_line_id = l.id AND r.status <> 'declined');

-- name: the_ledger_of_a_completed_order_is_sale_and_promotion_less_fee_less_refunds
SELECT o.number, o.goods, t.sale, m.back, t.refund, m.fee, t.fee AS in_ledger, m.borne, t.promotion FROM seller_order o
LEFT JOIN (
    SELECT order_id, sum(amount) FILTER (WHERE kind = 'sale') AS sale, sum(amount) FILTER (WHERE kind = 'refund') AS refund,
        sum(amount) FILTER (WHERE kind = 'commission') AS fee, sum(amount) FILTER (WHERE kind = 'promotion') AS promotion
    FROM seller_transfer GROUP BY order_id
) t ON t.order_id = o.id
LEFT JOIN (
    SELECT k.order_id, sum(k.back) AS back, sum(k.borne) AS borne,
        sum(coalesce(round(c.amount::numeric * (k.kept + k.borne) / nullif(c.base, 0)), 0)) AS fee
    FROM (
        SELECT l.id, l.order_id, coalesce(b.back, 0) AS back, l.gross - coalesce(b.back, 0) AS kept,
            coalesce(round(p.by_operator::numeric * (l.gross - coalesce(b.back, 0))
                / (round(l.price * l.quantity) - l.discount)), 0) AS borne
        FROM order_line l
        LEFT JOIN (
            SELECT rl.order_line_id, sum(rl.amount) AS back FROM refund_line rl JOIN refund r ON r.id = rl.refund_id
            WHERE r.status IN ('approved', 'paid') GROUP BY rl.order_line_id
        ) b ON b.order_line_id = l.id
        LEFT JOIN (
            SELECT order_line_id, sum(by_operator) AS by_operator FROM applied_promotion GROUP BY order_line_id
        ) p ON p.order_line_id = l.id
    ) k
    JOIN commission_line c ON c.order_line_id = k.id
    GROUP BY k.order_id
) m ON m.order_id = o.id
WHERE o.status = 'completed'
    AND (coalesce(t.sale, 0) <> o.goods OR coalesce(t.refund, 0) <> -coalesce(m.back, 0)
        OR coalesce(t.fee, 0) <> -coalesce(m.fee, 0) OR coalesce(t.promotion, 0) <> coalesce(m.borne, 0));

-- name: the_discount_of_a_line_is_what_promotions_took_off
SELECT l.id, l.discount, a.amount FROM order_line l
LEFT JOIN (SELECT order_line_id, sum(amount) AS amount FROM applied_promotion GROUP BY order_line_id) a
    ON a.order_line_id = l.id
WHERE l.discount <> coalesce(a.amount, 0);

-- name: a_line_costs_its_price_less_its_discount
SELECT l.id, l.gross, l.price, l.quantity, l.discount FROM order_line l
WHERE l.discount > 0 AND (l.gross > round(l.price * l.quantity) - l.discount
    OR round(l.price * l.quantity) - l.discount < 1);

-- name: a_fee_is_frozen_of_what_the_seller_gets
SELECT c.id, c.base FROM commission_line c JOIN order_line l ON l.id = c.order_line_id
WHERE l.discount > 0 AND c.base <> round(l.price * l.quantity) - l.discount
    + (SELECT coalesce(sum(a.by_operator), 0) FROM applied_promotion a WHERE a.order_line_id = l.id);

-- name: what_promotions_took_off_is_a_use
SELECT a.id FROM applied_promotion a
JOIN order_line l ON l.id = a.order_line_id
JOIN seller_order o ON o.id = l.order_id
LEFT JOIN promotion_use u ON u.promotion_id = a.promotion_id AND u.group_id = o.group_id
WHERE u.promotion_id IS NULL OR (u.given_back_at IS NOT NULL AND o.status NOT IN ('rejected', 'expired', 'cancelled'));

-- name: uses_of_a_promotion_are_within_its_limit
SELECT p.id, p.limit_total, p.uses_left, u.live FROM promotion p
LEFT JOIN (
    SELECT promotion_id, count(*) FILTER (WHERE given_back_at IS NULL) AS live FROM promotion_use GROUP BY promotion_id
) u ON u.promotion_id = p.id
WHERE p.limit_total - coalesce(u.live, 0) <> p.uses_left;

-- name: uses_of_a_buyer_are_within_the_limit
SELECT p.id, coalesce(g.organisation_id, -g.user_id) AS buyer, count(*) FROM promotion p
JOIN promotion_use u ON u.promotion_id = p.id AND u.given_back_at IS NULL
JOIN order_group g ON g.id = u.group_id
WHERE p.limit_per_buyer IS NOT NULL
GROUP BY p.id, coalesce(g.organisation_id, -g.user_id)
HAVING count(*) > p.limit_per_buyer;

-- name: promotions_take_off_goods_they_speak_of
SELECT a.id FROM applied_promotion a
JOIN promotion p ON p.id = a.promotion_id
JOIN order_line l ON l.id = a.order_line_id
JOIN seller_order o ON o.id = l.order_id
WHERE (p.seller_id IS NOT NULL AND p.seller_id <> o.seller_id) OR (p.by_seller AND a.by_operator > 0);

-- name: a_payout_is_the_sum_of_what_it_swept
SELECT p.id, p.amount, s.swept FROM seller_payout p
LEFT JOIN (
    SELECT x.payout_id, sum(t.amount) AS swept, count(DISTINCT t.seller_id) AS sellers, min(t.seller_id) AS seller_id
    FROM payout_transfer x JOIN seller_transfer t ON t.id = x.transfer_id GROUP BY x.payout_id
) s ON s.payout_id = p.id
WHERE (p.amount, 1, p.seller_id) IS DISTINCT FROM (s.swept, s.sellers, s.seller_id);

-- name: payouts_stand_in_the_ledger
SELECT p.id, p.status, p.amount FROM seller_payout p
WHERE (SELECT coalesce(sum(t.amount), 0) FROM seller_transfer t
        WHERE t.reference = 'payout:' || p.id AND t.kind IN ('payout', 'payout_failed') AND t.seller_id = p.seller_id)
    <> CASE p.status WHEN 'failed' THEN 0 ELSE -p.amount END;

-- name: nothing_paid_out_is_swept
SELECT x.id FROM payout_transfer x JOIN seller_transfer t ON t.id = x.transfer_id WHERE t.kind = 'payout';

-- name: corrections_stand_in_the_ledger
SELECT c.id FROM ledger_correction c
LEFT JOIN seller_transfer t ON t.kind = 'correction' AND t.reference = 'correction:' || c.id AND t.amount = c.amount
    AND t.seller_id = c.seller_id
WHERE (c.status = 'approved') <> (t.id IS NOT NULL);

-- name: nothing_goes_back_that_did_not_come
SELECT x.order_line_id, x.going, f.delivered FROM (
    SELECT l.order_line_id, sum(CASE r.status WHEN 'refunded' THEN l.paid ELSE l.quantity END) AS going
    FROM return_line l JOIN return_request r ON r.id = l.return_id
    WHERE r.status NOT IN ('rejected', 'cancelled') GROUP BY l.order_line_id
) x LEFT JOIN (
    SELECT order_line_id, sum(coalesce(delivered, 0)) AS delivered FROM fulfilment_line GROUP BY order_line_id
) f ON f.order_line_id = x.order_line_id
WHERE x.going > coalesce(f.delivered, 0);

-- name: a_return_paid_back_is_its_refund_and_its_stock
SELECT r.id, r.goods, r.fee, f.amount, s.moved, l.paid FROM return_request r
LEFT JOIN refund f ON f.id = r.refund_id
JOIN (SELECT return_id, sum(paid) AS paid, sum(least(paid, coalesce(fit, 0))) AS fit FROM return_line GROUP BY return_id) l
    ON l.return_id = r.id
LEFT JOIN (SELECT entity_id, sum(on_hand_delta) AS moved, sum(on_hand_delta) FILTER (WHERE kind = 'returned') AS came
    FROM stock_movement WHERE entity = 'return' GROUP BY entity_id) s ON s.entity_id = r.id
WHERE CASE r.status WHEN 'refunded'
    THEN coalesce(f.amount, 0) <> r.goods - r.fee OR coalesce(s.moved, 0) <> l.fit OR coalesce(s.came, 0) <> l.paid
    ELSE r.goods <> 0 OR l.paid <> 0 OR s.entity_id IS NOT NULL END;

-- name: a_claim_gives_back_at_most_what_was_settled
SELECT c.id, c.settled, f.amount FROM claim c JOIN refund f ON f.id = c.refund_id
JOIN payment_split p ON p.id = f.split_id
WHERE f.amount > coalesce(c.settled, 0) OR p.order_id <> c.order_id;

-- name: what_is_over_waits_for_nobody
SELECT 'return' AS kind, r.id FROM return_request r
WHERE (r.status IN ('refunded', 'rejected', 'cancelled')) <> (r.closed_at IS NOT NULL)
    OR (r.closed_at IS NOT NULL AND r.due_at IS NOT NULL)
UNION ALL SELECT 'claim', c.id FROM claim c
WHERE (c.status IN ('agreed', 'settled', 'withdrawn')) <> (c.closed_at IS NOT NULL)
    OR (c.closed_at IS NOT NULL AND c.due_at IS NOT NULL AND (c.refund_id IS NOT NULL OR c.settled = 0));

-- name: what_waits_for_an_answer_has_its_timer
SELECT 'return' AS kind, r.id FROM return_request r
WHERE r.due_at IS NOT NULL AND NOT EXISTS (
    SELECT FROM timer t WHERE t.entity = 'return' AND t.entity_id = r.id AND t.due_at = r.due_at)
UNION ALL SELECT 'claim', c.id FROM claim c
WHERE c.due_at IS NOT NULL AND NOT EXISTS (
    SELECT FROM timer t WHERE t.entity = 'claim' AND t.entity_id = c.id AND t.due_at = c.due_at);

-- name: what_went_back_of_a_payment_covers_its_refunds
SELECT p.id, p.returned, s.refunded FROM payment p
JOIN (SELECT payment_id, sum(refunded) AS refunded FROM payment_split GROUP BY payment_id) s ON s.payment_id = p.id
WHERE p.returned < s.refunded;

-- name: a_window_is_taken_by_its_deliveries
SELECT s.id, s.taken, s.taken_kg, coalesce(t.places, 0) AS places, coalesce(t.kg, 0) AS kg FROM delivery_slot s
LEFT JOIN (
    SELECT slot_id, count(*) AS places, sum(slot_kg) AS kg FROM (
        SELECT d.slot_id, d.slot_kg FROM delivery d WHERE d.slot_id IS NOT NULL AND d.state <> 'cancelled'
        UNION ALL
        SELECT j.slot_id, j.slot_kg FROM joint_delivery j WHERE j.slot_id IS NOT NULL
            AND EXISTS (SELECT FROM delivery d WHERE d.joint_id = j.id AND d.state <> 'cancelled')
    ) one GROUP BY slot_id
) t ON t.slot_id = s.id
WHERE (s.taken, s.taken_kg) IS DISTINCT FROM (coalesce(t.places, 0), coalesce(t.kg, 0)) OR s.taken > s.capacity;

-- name: what_is_fetched_is_nobodys_to_carry
SELECT f.id FROM fulfilment f LEFT JOIN delivery d ON d.fulfilment_id = f.id
WHERE (f.method = 'pickup') = (d.id IS NOT NULL);

-- name: shares_of_a_common_truck_sum_to_its_price
SELECT j.id, j.price, s.shares FROM joint_delivery j
JOIN (SELECT joint_id, sum(price) AS shares FROM delivery WHERE joint_id IS NOT NULL GROUP BY joint_id) s ON s.joint_id = j.id
WHERE s.shares <> j.price;

-- name: a_common_truck_is_of_one_carrier
SELECT d.id FROM delivery d JOIN joint_delivery j ON j.id = d.joint_id WHERE d.carrier_id <> j.carrier_id;

-- name: no_more_pallets_are_paid_for_than_goods_need
SELECT x.fulfilment_id, x.order_line_id, x.pallets FROM (
    SELECT fl.fulfilment_id, fl.order_line_id, fl.pallets, l.pallet_units * l.factor_numerator AS on_one,
        l.factor_denominator * CASE WHEN f.status = 'cancelled' THEN 0
            WHEN f.status IN ('delivered', 'partially_delivered', 'failed', 'returning', 'returned')
            THEN coalesce(fl.delivered, 0) ELSE fl.quantity END AS goods
    FROM fulfilment_line fl JOIN fulfilment f ON f.id = fl.fulfilment_id JOIN order_line l ON l.id = fl.order_line_id
) x
WHERE x.pallets > coalesce(ceil(x.goods / nullif(x.on_one, 0)), 0);

-- name: no_more_pallets_come_back_than_went_out
SELECT r.order_line_id, r.back, f.out FROM (
    SELECT p.order_line_id, sum(p.pallets) AS back FROM pallet_return p JOIN refund r ON r.id = p.refund_id
    WHERE r.status <> 'declined' GROUP BY p.order_line_id
) r LEFT JOIN (
    SELECT order_line_id, sum(pallets) AS out FROM fulfilment_line WHERE delivered IS NOT NULL GROUP BY order_line_id
) f ON f.order_line_id = r.order_line_id
WHERE r.back > coalesce(f.out, 0);

-- name: a_deposit_given_back_is_of_the_pallets_that_came_back
SELECT r.id, r.deposit, p.deposit AS of_pallets FROM refund r
LEFT JOIN (
    SELECT x.refund_id, sum(x.pallets * l.pallet_deposit) AS deposit, min(l.order_id) AS first, max(l.order_id) AS last
    FROM pallet_return x JOIN order_line l ON l.id = x.order_line_id GROUP BY x.refund_id
) p ON p.refund_id = r.id
JOIN payment_split s ON s.id = r.split_id
WHERE r.deposit <> coalesce(p.deposit, 0) OR p.first <> s.order_id OR p.last <> s.order_id;

-- name: the_ledger_holds_deposits_and_what_was_given_back_of_them
SELECT o.number, o.deposit, t.deposit AS in_ledger, r.back, t.back AS back_in_ledger FROM seller_order o
LEFT JOIN (
    SELECT order_id, sum(amount) FILTER (WHERE kind = 'deposit') AS deposit,
        sum(amount) FILTER (WHERE kind = 'deposit_returned') AS back
    FROM seller_transfer GROUP BY order_id
) t ON t.order_id = o.id
LEFT JOIN (
    SELECT s.order_id, sum(f.deposit) AS back FROM refund f JOIN payment_split s ON s.id = f.split_id
    WHERE f.status IN ('approved', 'paid') GROUP BY s.order_id
) r ON r.order_id = o.id
WHERE coalesce(t.back, 0) <> -coalesce(r.back, 0) OR (o.status = 'completed' AND coalesce(t.deposit, 0) <> o.deposit);

-- name: a_carriers_invoice_sums_to_its_lines
SELECT i.id, i.gross, l.gross AS of_lines FROM carrier_invoice i
LEFT JOIN (SELECT invoice_id, sum(gross) AS gross FROM carrier_invoice_line GROUP BY invoice_id) l ON l.invoice_id = i.id
WHERE coalesce(l.gross, 0) <> i.gross;

-- name: a_line_of_a_carriers_invoice_sums_to_its_parts
SELECT l.id, l.gross FROM carrier_invoice_line l
WHERE l.gross <> (SELECT coalesce(sum((part ->> 'amount')::bigint), 0) FROM jsonb_array_elements(l.parts) part);

-- name: invoices_of_carriers_have_no_gaps
SELECT i.carrier_id, i.year, count(*) AS written, c.last FROM carrier_invoice i
JOIN carrier_invoice_counter c ON c.carrier_id = i.carrier_id AND c.year = i.year
GROUP BY i.carrier_id, i.year, c.last HAVING count(*) <> c.last OR max(i.number) <> c.last;
