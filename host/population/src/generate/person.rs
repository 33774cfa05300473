//! Names and numbers of people who do not exist. Numbers begin with 100 and 101, which no mobile network uses;
//! e-mail addresses lie in the domain reserved for examples.

use super::dice::Dice;
use crate::identity::surname_of;
use crate::keyer::Keyer;
use care_domain::identity::{CloseContact, Identity};

const SURNAMES: [&str; 40] = [
    "陈", "林", "黄", "张", "吴", "李", "郑", "王", "刘", "苏", "蔡", "杨", "许", "叶", "谢", "曾", "周", "郭", "邱",
    "何", "江", "朱", "洪", "罗", "徐", "赖", "游", "庄", "方", "高", "余", "魏", "詹", "卢", "沈", "翁", "柯", "欧阳",
    "上官", "司徒",
];

const GIVEN: [&str; 48] = [
    "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "秀", "霞",
    "平", "刚", "桂", "英", "华", "玉", "萍", "红", "建", "文", "斌", "志", "海", "燕", "玲", "梅", "琴", "云", "峰",
    "晓", "东", "晨", "雨", "欣", "宁", "凯", "嘉", "琪", "睿",
];

/// Who customer `number` is, with so many close contacts.
pub(crate) fn draw(number: u64, close_contacts: i64, keyer: &Keyer, dice: &mut Dice) -> Identity {
    let external_id = format!("FJ{number:09}");
    let name = name(dice);
    let email = if dice.permille(450) { format!("c{number}@example.com") } else { String::new() };
    let contact = |_| CloseContact { name: self::name(dice), msisdn: format!("101{:08}", dice.between(0, 99_999_999)) };
    Identity {
        key: keyer.key_of(&external_id),
        external_id,
        surname: surname_of(&name).to_owned(),
        name,
        msisdn: format!("100{number:08}"),
        email,
        close_contacts: (0..close_contacts).map(contact).collect(),
    }
}

fn name(dice: &mut Dice) -> String {
    // The first surnames of the list are the commonest in Fujian.
    let rarest = dice.between(0, SURNAMES.len() as i64 - 1);
    let surname = dice.between(0, rarest);
    let mut name = SURNAMES.get(surname as usize).copied().unwrap_or("陈").to_owned();
    for _ in 0..dice.between(1, 2) {
        name.push_str(dice.one_of(&GIVEN).unwrap_or("明"));
    }
    name
}
