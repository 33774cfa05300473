//! Statements over many rows with one text, so that SQLite reads, plans and caches each once, however many rows there are:
//! keys go in as one blob, rows in pieces of few sizes.

/// A statement after a table `packed (key)` of the 16-byte keys that the first value holds one after the other. A key
/// that stands in it twice is joined twice.
macro_rules! of_packed {
    ($sql:expr) => {
        concat!(
            "WITH RECURSIVE place (at) AS (SELECT 1 WHERE length(?1) > 0 \
               UNION ALL SELECT at + 16 FROM place WHERE at + 16 < length(?1)), \
             packed (key) AS (SELECT substr(?1, at, 16) FROM place) ",
            $sql
        )
    };
}
pub(crate) use of_packed;

/// Keys one after the other.
pub(crate) fn pack<'a>(keys: impl IntoIterator<Item = &'a [u8; 16]>) -> Vec<u8> {
    keys.into_iter().flatten().copied().collect()
}

/// Rows in a statement, the most first.
const SIZES: [usize; 5] = [256, 64, 16, 4, 1];

/// Rows in pieces of few sizes.
pub(crate) fn pieces<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= rest.len())?;
        let (piece, more) = rest.split_at(size);
        rest = more;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_hold_every_row_once_and_have_five_sizes() {
        let rows: Vec<u32> = (0..1_000).collect();
        let sizes: Vec<usize> = pieces(&rows).map(<[u32]>::len).collect();
        assert_eq!(pieces(&rows).flatten().copied().collect::<Vec<_>>(), rows);
        assert_eq!(sizes, [256, 256, 256, 64, 64, 64, 16, 16, 4, 4]);
        assert_eq!(pieces::<u32>(&[]).count(), 0);
    }

    #[tokio::test]
    async fn a_blob_of_keys_is_a_table() {
        let pool = sqlx::SqlitePool::connect("sqlite::memory:").await.expect("a database");
        for count in [0_u8, 1, 3] {
            let keys: Vec<[u8; 16]> = (0..count).map(|n| [n; 16]).collect();
            let found: Vec<Vec<u8>> = sqlx::query_scalar(of_packed!("SELECT key FROM packed"))
                .bind(pack(&keys))
                .fetch_all(&pool)
                .await
                .expect("keys");
            assert_eq!(found, keys);
        }
    }
}
