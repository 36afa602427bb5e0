//! Days, as suppressions expire on them.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Date {
    year: i64,
    month: u8,
    day: u8,
}

impl Date {
    /// The day now, in UTC: the same for everybody who runs the same pipeline.
    pub(crate) fn today() -> Date {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Date::of_days(i64::try_from(seconds / 86_400).unwrap_or(0))
    }

    /// A day that exists.
    pub(crate) fn new(year: i64, month: u8, day: u8) -> Option<Date> {
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => 28 + u8::from(is_leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        (1..=days).contains(&day).then_some(Date { year, month, day })
    }

    /// "2027-03-01".
    pub(crate) fn parse(text: &str) -> Option<Date> {
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let is_date = parts.next().is_none() && (year.len(), month.len(), day.len()) == (4, 2, 2);
        if is_date { Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?) } else { None }
    }

    /// The day that is so many days after the first of January 1970. Years begin in March here, so that leap days come last.
    fn of_days(days: i64) -> Date {
        let days = days + 719_468;
        let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Date { year, month: month as u8, day: day as u8 }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_as_in_the_calendar() {
        let days = [0, 59, 11_016, 19_782, 20_513].map(|days| Date::of_days(days).to_string());
        assert_eq!(days, ["1970-01-01", "1970-03-01", "2000-02-29", "2024-02-29", "2026-03-01"]);
        assert!(Date::today() > Date::new(2025, 1, 1).expect("a day"));
    }

    #[test]
    fn only_days_that_exist_are_dates() {
        assert_eq!(Date::parse("2027-03-01").map(|date| date.to_string()).as_deref(), Some("2027-03-01"));
        for text in ["2027-02-29", "2027-13-01", "2027-3-1", "tomorrow", "2027-03-01-01", "2027-00-10", "2027-01-32"] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
    }
}
