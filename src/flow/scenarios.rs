//! What a connection hands on, case by case.

use super::connection::{Close, Handshake};
use super::testing::*;
use crate::limits::REASSEMBLY_DIRECTION;
use crate::wire::Tcp;

#[test]
fn octets_in_order_pass_through_with_their_packet_and_place() {
    let mut script = Script::opened();
    script.send(BACK, PSH | ACK, 5001, 1001, b"220 hi");
    script.send(THERE, PSH | ACK, 1001, 5007, b"EHLO");
    script.send(THERE, PSH | ACK, 1005, 5007, b" x");
    assert_eq!(script.take(), ["#4 < 0 \"220 hi\"", "#5 > 0 \"EHLO\"", "#6 > 4 \" x\""]);
    assert!(script.connection().handshake.is_complete());
    assert_eq!(script.connection().counters(THERE).delivered, 6);
}

#[test]
fn a_segment_that_comes_early_waits_for_the_one_before_it() {
    let mut script = Script::opened();
    script.send(THERE, ACK, 1005, 5001, b" x");
    script.send(THERE, ACK, 1001, 5001, b"EHLO");
    assert_eq!(script.take(), ["#5 > 0 \"EHLO\"", "#4 > 4 \" x\""]);
    assert_eq!(script.connection().counters(THERE).out_of_order, 1);
}

#[test]
fn a_retransmission_is_dropped_and_what_is_new_of_it_kept() {
    let mut script = Script::opened();
    script.send(THERE, ACK, 1001, 5001, b"EHLO");
    script.send(THERE, ACK, 1001, 5001, b"EHLO");
    script.send(THERE, ACK, 1001, 5001, b"EHLO x");
    assert_eq!(script.take(), ["#4 > 0 \"EHLO\"", "#6 > 4 \" x\""]);
    assert_eq!(script.connection().counters(THERE).retransmitted, 8);
    assert!(script.anomalies().is_empty());
}

#[test]
fn a_hole_becomes_a_gap_once_its_octets_are_acknowledged_and_time_has_moved_on() {
    let mut script = Script::opened();
    script.send(THERE, ACK, 1005, 5001, b" x");
    script.send(BACK, ACK, 5001, 1007, b"");
    assert!(script.take().is_empty());
    script.wait(30);
    script.send(BACK, ACK, 5001, 1007, b"250");
    assert_eq!(script.take(), ["#6 > 0..4 missing", "#4 > 4 \" x\"", "#6 < 0 \"250\""]);
}

#[test]
fn a_hole_that_the_receiver_still_wants_is_waited_for() {
    let mut script = Script::opened();
    script.send(THERE, ACK, 1005, 5001, b" x");
    for _ in 0..100 {
        script.wait(1000);
        script.send(BACK, ACK, 5001, 1001, b"");
    }
    script.send(THERE, ACK, 1001, 5001, b"EHLO");
    assert_eq!(script.take(), ["#105 > 0 \"EHLO\"", "#4 > 4 \" x\""]);
}

#[test]
fn a_hole_at_the_end_of_the_capture_is_a_gap() {
    let mut script = Script::opened();
    script.send(THERE, FIN | ACK, 1005, 5001, b" x");
    assert!(script.take().is_empty());
    script.finish();
    assert_eq!(script.take(), ["#4 > 0..4 missing", "#4 > 4 \" x\"", "#4 > FIN at 6"]);
}

#[test]
fn octets_held_back_come_out_before_a_reset() {
    let mut script = Script::opened();
    script.send(THERE, ACK, 1005, 5001, b" x");
    script.send(THERE, RST | ACK, 1007, 5001, b"");
    assert_eq!(script.take(), ["#5 > 0..4 missing", "#4 > 4 \" x\"", "#5 > RST at 6"]);
    assert_eq!(script.connection().close(), Close::Reset(THERE));
    script.send(THERE, ACK, 1007, 5001, b"more");
    script.finish();
    assert!(script.take().is_empty());
    assert_eq!(script.anomalies(), ["tcp_data_after_reset"]);
}

#[test]
fn a_reset_from_nowhere_is_noted_and_ignored() {
    let mut script = Script::opened();
    script.send(BACK, RST, 0x9000_0000, 0, b"");
    script.send(BACK, ACK, 5001, 1001, b"220");
    assert_eq!(script.take(), ["#5 < 0 \"220\""]);
    assert_eq!((script.anomalies(), script.connection().close()), (vec!["tcp_reset_out_of_window"], Close::Open));
}

#[test]
fn a_refused_syn_is_a_reset_by_the_responder() {
    let mut script = Script::new();
    script.send(THERE, SYN, 1000, 0, b"");
    script.send(BACK, RST | ACK, 0, 1001, b"");
    assert_eq!(script.take(), ["#2 < RST at 0"]);
    assert_eq!(script.connection().close(), Close::Reset(BACK));
    assert!(script.connection().is_closed());
}

#[test]
fn a_fin_waits_for_the_octets_before_it() {
    let mut script = Script::opened();
    script.send(THERE, FIN | ACK, 1005, 5001, b" x");
    script.send(THERE, FIN | ACK, 1007, 5001, b"");
    assert!(script.take().is_empty());
    script.send(THERE, ACK, 1001, 5001, b"EHLO");
    assert_eq!(script.take(), ["#6 > 0 \"EHLO\"", "#4 > 4 \" x\"", "#6 > FIN at 6"]);
    assert_eq!(script.connection().close(), Close::Half(THERE));
    script.send(BACK, FIN | ACK, 5001, 1008, b"");
    script.send(THERE, ACK, 1008, 5002, b"");
    assert_eq!((script.take(), script.connection().close()), (vec!["#7 < FIN at 0".to_owned()], Close::Fin));
    assert!(script.anomalies().is_empty());
}

#[test]
fn octets_beyond_the_fin_are_noted_and_ignored() {
    let mut script = Script::opened();
    script.send(THERE, FIN | ACK, 1001, 5001, b"EHLO");
    script.send(THERE, ACK, 1003, 5001, b"LOxy");
    assert_eq!(script.take(), ["#4 > 0 \"EHLO\"", "#4 > FIN at 4"]);
    assert_eq!(script.anomalies(), ["tcp_data_after_fin"]);
    assert_eq!(script.connection().counters(THERE).ignored, 2);
}

#[test]
fn a_fin_below_what_was_sent_is_noted_and_ignored() {
    let mut script = Script::opened();
    script.send(THERE, ACK, 1001, 5001, b"EHLO");
    script.send(THERE, FIN | ACK, 1003, 5001, b"");
    script.send(THERE, ACK, 1005, 5001, b" x");
    assert_eq!(script.take(), ["#4 > 0 \"EHLO\"", "#6 > 4 \" x\""]);
    assert_eq!(script.anomalies(), ["tcp_fin_moved"]);
}

#[test]
fn octets_go_on_across_the_wrap_of_sequence_numbers() {
    let mut script = Script::new();
    let first = u32::MAX - 2;
    script.send(THERE, SYN, first - 1, 0, b"");
    script.send(THERE, ACK, 3, 5001, b"6");
    script.send(THERE, ACK, 1, 5001, b"45");
    script.send(THERE, ACK, first, 5001, b"0123");
    script.send(THERE, ACK, first, 5001, b"01234567");
    let expected = ["#4 > 0 \"0123\"", "#3 > 4 \"45\"", "#2 > 6 \"6\"", "#5 > 7 \"7\""];
    assert_eq!(script.take(), expected);
    assert!(script.anomalies().is_empty());
}

#[test]
fn of_two_overlapping_segments_the_first_wins_and_the_difference_is_noted() {
    let mut script = Script::opened();
    script.send(THERE, ACK, 1003, 5001, b"LO x");
    script.send(THERE, ACK, 1005, 5001, b"!!!!");
    script.send(THERE, ACK, 1001, 5001, b"EHlo");
    let expected = ["#6 > 0 \"EH\"", "#4 > 2 \"LO x\"", "#5 > 6 \"!!\""];
    assert_eq!(script.take(), expected);
    assert_eq!(script.anomalies(), ["tcp_overlap_conflict", "tcp_overlap_conflict"]);
    let spans: Vec<_> =
        script.connection().anomalies().kept().iter().map(|noted| (noted.span.start, noted.span.end)).collect();
    assert_eq!(spans, [(4, 6), (2, 4)]);
}

#[test]
fn a_retransmission_with_other_octets_than_those_delivered_is_noted() {
    let mut script = Script::opened();
    script.send(THERE, ACK, 1001, 5001, b"MAIL");
    script.send(THERE, ACK, 1005, 5001, b" FROM");
    script.send(THERE, ACK, 1003, 5001, b"IL FR");
    assert!(script.anomalies().is_empty());
    script.send(THERE, ACK, 1003, 5001, b"IL TO");
    assert_eq!(script.anomalies(), ["tcp_overlap_conflict"]);
    assert_eq!(script.take().len(), 2);
}

#[test]
fn keep_alives_are_neither_octets_nor_conflicts() {
    let mut script = Script::opened();
    script.send(THERE, ACK, 1000, 5001, b"");
    script.send(THERE, ACK, 1001, 5001, b"EHLO");
    script.send(THERE, ACK, 1004, 5001, b"\0");
    script.send(THERE, ACK, 1004, 5001, b"");
    script.send(BACK, ACK, 5001, 1005, b"");
    script.finish();
    assert_eq!(script.take(), ["#4 > 0 \"EHLO\""].map(|line| line.replace("#4", "#5")));
    assert!(script.anomalies().is_empty());
    let counters = script.connection().counters(THERE);
    assert_eq!((counters.keep_alives, counters.retransmitted, counters.missing), (3, 0, 0));
}

#[test]
fn a_probe_of_a_closed_window_is_no_conflict_and_no_gap() {
    let mut script = Script::opened();
    script.send(THERE, ACK, 1001, 5001, b"EHLO");
    script.send(BACK, ACK, 5001, 1005, b"");
    script.send(THERE, ACK, 1005, 5001, b" ");
    script.send(BACK, ACK, 5001, 1005, b"");
    script.send(THERE, ACK, 1005, 5001, b" x");
    script.send(BACK, ACK, 5001, 1007, b"");
    script.finish();
    assert_eq!(script.take(), ["#4 > 0 \"EHLO\"", "#6 > 4 \" \"", "#8 > 5 \"x\""]);
    assert!(script.anomalies().is_empty());
}

#[test]
fn octets_in_a_syn_come_first() {
    let mut script = Script::new();
    script.send(THERE, SYN, 1000, 0, b"EH");
    script.send(BACK, SYN | ACK, 5000, 1003, b"");
    script.send(THERE, ACK, 1003, 5001, b"LO");
    assert_eq!(script.take(), ["#1 > 0 \"EH\"", "#3 > 2 \"LO\""]);
}

#[test]
fn a_connection_seen_from_its_middle_begins_with_the_first_octet_seen() {
    let mut script = Script::new();
    script.send(BACK, ACK, 7000, 3000, b"250 ok");
    script.send(THERE, ACK, 3000, 7006, b"QUIT");
    assert_eq!(script.take(), ["#1 < 0 \"250 ok\"", "#2 > 0 \"QUIT\""]);
    assert_eq!(script.connection().originator.port, 58816);
    assert_eq!(script.connection().handshake, Handshake::default());
}

#[test]
fn a_keep_alive_at_the_start_of_the_capture_leaves_no_hole() {
    let mut script = Script::new();
    script.send(THERE, ACK, 2999, 7000, b"");
    script.send(BACK, ACK, 7000, 3000, b"");
    script.send(THERE, ACK, 3000, 7000, b"QUIT");
    script.finish();
    assert_eq!(script.take(), ["#3 > 0 \"QUIT\""]);
}

#[test]
fn a_syn_ack_alone_tells_who_opened_the_connection_and_where_it_begins() {
    let mut script = Script::new();
    script.send(BACK, SYN | ACK, 5000, 1001, b"");
    script.send(THERE, ACK, 1003, 5001, b"LO");
    script.send(BACK, ACK, 5001, 1005, b"");
    script.wait(100);
    script.send(BACK, ACK, 5001, 1005, b"");
    assert_eq!(script.connection().originator.port, 58816);
    assert_eq!(script.take(), ["#4 > 0..2 missing", "#2 > 2 \"LO\""]);
}

#[test]
fn of_a_side_that_is_not_in_the_capture_the_acknowledged_octets_are_missing() {
    let mut script = Script::new();
    script.send(THERE, SYN, 1000, 0, b"");
    script.send(THERE, ACK, 1001, 5001, b"");
    script.send(THERE, ACK, 1001, 5031, b"EHLO");
    script.wait(100);
    script.send(THERE, ACK, 1005, 5031, b" x");
    script.finish();
    assert_eq!(script.take(), ["#3 > 0 \"EHLO\"", "#4 < 0..30 missing", "#4 > 4 \" x\""]);
}

#[test]
fn a_hole_of_a_side_whose_peer_is_not_in_the_capture_is_waited_for_half_a_minute() {
    let mut script = Script::new();
    script.send(THERE, SYN, 1000, 0, b"");
    script.send(THERE, ACK, 1005, 5001, b" x");
    script.wait(20_000);
    script.send(THERE, ACK, 1007, 5001, b"y");
    assert!(script.take().is_empty());
    script.wait(10_000);
    script.send(THERE, ACK, 1008, 5001, b"z");
    let expected = ["#4 > 0..4 missing", "#2 > 4 \" x\"", "#3 > 6 \"y\"", "#4 > 7 \"z\""];
    assert_eq!(script.take(), expected);
}

#[test]
fn the_tail_of_a_packet_that_the_capture_cut_is_a_gap_at_once() {
    let mut script = Script::opened();
    script.send_tcp(THERE, &Tcp { payload_len: 10, ..tcp(ACK, 1001, 5001, b"EHLO") });
    script.send(THERE, ACK, 1011, 5001, b"x");
    assert_eq!(script.take(), ["#4 > 0 \"EHLO\"", "#4 > 4..10 missing", "#5 > 10 \"x\""]);
    script.send_tcp(THERE, &Tcp { payload_len: 10, ..tcp(ACK, 1022, 5001, b"abc") });
    script.send_tcp(THERE, &Tcp { payload_len: 10, ..tcp(ACK, 1012, 5001, b"") });
    assert_eq!(script.take(), ["#7 > 11..21 missing", "#6 > 21 \"abc\"", "#7 > 24..31 missing"]);
}

#[test]
fn a_segment_outside_any_window_is_noted_and_ignored() {
    let mut script = Script::opened();
    script.send(THERE, ACK, 1001_u32.wrapping_add(0x5000_0000), 5001, b"far");
    script.send(THERE, ACK, 1001, 5001, b"near");
    script.finish();
    assert_eq!(script.take(), ["#5 > 0 \"near\""]);
    assert_eq!(script.anomalies(), ["tcp_beyond_window"]);
}

#[test]
fn a_huge_hole_is_one_gap() {
    let mut script = Script::opened();
    script.send(THERE, ACK, 1001 + 0x3000_0000, 5001, b"far");
    script.finish();
    assert_eq!(script.take(), ["#4 > 0..805306368 missing", "#4 > 805306368 \"far\""]);
}

#[test]
fn a_full_buffer_gives_up_the_oldest_hole_and_says_so() {
    let mut script = Script::opened();
    let payload = [b'x'; 1400];
    let mut sequence = 1002;
    while script.lines.is_empty() {
        script.send(THERE, ACK, sequence, 5001, &payload);
        sequence += 1400;
    }
    assert!(script.lines[0].ends_with("> 0..1 missing"));
    assert_eq!(script.anomalies(), ["tcp_buffer_full"]);
    assert_eq!(script.connection().held(), 0);
    let held = (REASSEMBLY_DIRECTION / 1500) as u64;
    assert!((held..held + 10).contains(&(script.packet - 3)), "{}", script.packet);
}

#[test]
fn an_acknowledged_fin_that_was_not_captured_is_no_missing_octet() {
    let mut script = Script::opened();
    script.send(THERE, ACK, 1001, 5001, b"QUIT");
    for _ in 0..40 {
        script.send(BACK, ACK, 5001, 1006, b"");
    }
    script.finish();
    assert_eq!(script.take(), ["#4 > 0 \"QUIT\""]);
}

#[test]
fn a_syn_with_another_number_within_an_open_connection_is_noted() {
    let mut script = Script::opened();
    script.send(THERE, SYN, 1000, 0, b"");
    assert!(script.anomalies().is_empty());
    script.send(THERE, SYN, 77_000, 0, b"");
    script.send(THERE, ACK, 1001, 5001, b"EHLO");
    assert_eq!(script.anomalies(), ["tcp_syn_in_connection"]);
    assert_eq!(script.take(), ["#6 > 0 \"EHLO\""]);
}
