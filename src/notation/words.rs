//! The commonest names, to tell a column of family names from one of given names.
//!
//! Shares matter here, not single hits: the family names below are those of about half of Japan, and
//! about a quarter of the United States. Persona's tables are no substitute; understanding a column must
//! not depend on what an operator has laid over them.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::{fold, kana_key};

/// Family names with their reading.
const FAMILY: &str = "佐藤サトウ 鈴木スズキ 高橋タカハシ 田中タナカ 伊藤イトウ 渡辺ワタナベ 山本ヤマモト 中村ナカムラ 小林コバヤシ 加藤カトウ \
吉田ヨシダ 山田ヤマダ 佐々木ササキ 山口ヤマグチ 松本マツモト 井上イノウエ 木村キムラ 林ハヤシ 斎藤サイトウ 清水シミズ 山崎ヤマザキ \
森モリ 池田イケダ 橋本ハシモト 阿部アベ 石川イシカワ 山下ヤマシタ 中島ナカジマ 石井イシイ 小川オガワ 前田マエダ 岡田オカダ 長谷川ハセガワ \
藤田フジタ 後藤ゴトウ 近藤コンドウ 村上ムラカミ 遠藤エンドウ 青木アオキ 坂本サカモト 福田フクダ 太田オオタ 西村ニシムラ 藤井フジイ \
岡本オカモト 藤原フジワラ 金子カネコ 三浦ミウラ 中野ナカノ 中川ナカガワ 原田ハラダ 松田マツダ 竹内タケウチ 小野オノ 田村タムラ \
中山ナカヤマ 和田ワダ 石田イシダ 森田モリタ 上田ウエダ 原ハラ 内田ウチダ 柴田シバタ 酒井サカイ 宮崎ミヤザキ 横山ヨコヤマ 高木タカギ \
安藤アンドウ 宮本ミヤモト 大野オオノ 小島コジマ 工藤クドウ 谷口タニグチ 今井イマイ 高田タカダ 丸山マルヤマ 増田マスダ 杉山スギヤマ \
村田ムラタ 大塚オオツカ 新井アライ 小山コヤマ 平野ヒラノ 藤本フジモト 河野コウノ 上野ウエノ 野口ノグチ 武田タケダ 松井マツイ 千葉チバ \
菅原スガワラ 岩崎イワサキ 久保クボ 木下キノシタ 佐野サノ 野村ノムラ 松尾マツオ 市川イチカワ 菊地キクチ 杉本スギモト 古川フルカワ \
大西オオニシ 島田シマダ 水野ミズノ 桜井サクライ 高野タカノ 渡部ワタベ 吉川ヨシカワ 山内ヤマウチ 西田ニシダ 飯田イイダ 菊池キクチ \
西川ニシカワ 小松コマツ 北村キタムラ 安田ヤスダ 五十嵐イガラシ 川口カワグチ 平田ヒラタ 関セキ 中田ナカタ 久保田クボタ 服部ハットリ \
東ヒガシ 岩田イワタ 土屋ツチヤ 川崎カワサキ 福島フクシマ 本田ホンダ 辻ツジ 樋口ヒグチ 秋山アキヤマ 田口タグチ 永井ナガイ 山中ヤマナカ \
中西ナカニシ 吉村ヨシムラ 川上カワカミ 石原イシハラ 大橋オオハシ 松岡マツオカ 浜田ハマダ 馬場ババ 森本モリモト 矢野ヤノ 浅野アサノ \
松下マツシタ 星野ホシノ 大久保オオクボ 吉岡ヨシオカ 小池コイケ 野田ノダ 荒木アラキ 熊谷クマガイ 松浦マツウラ 大谷オオタニ 内藤ナイトウ \
黒田クロダ 尾崎オザキ 川村カワムラ 永田ナガタ 望月モチヅキ 松村マツムラ 田辺タナベ 荒井アライ 堀ホリ 大島オオシマ 平井ヒライ 早川ハヤカワ \
菅スガ 西山ニシヤマ 栗原クリハラ 広瀬ヒロセ 横田ヨコタ 石橋イシバシ 岩本イワモト 萩原ハギワラ 片山カタヤマ 関口セキグチ 宮田ミヤタ \
大石オオイシ 本間ホンマ 高山タカヤマ 須藤スドウ 岡崎オカザキ 小田オダ 吉野ヨシノ 鎌田カマタ 伊東イトウ 篠原シノハラ 上原ウエハラ \
小西コニシ 松原マツバラ 福井フクイ 古賀コガ 大森オオモリ 成田ナリタ 南ミナミ 小泉コイズミ 奥村オクムラ 沢田サワダ 富田トミタ 川島カワシマ \
三宅ミヤケ 榎本エノモト 児玉コダマ 白石シライシ 桑原クワバラ 八木ヤギ 大川オオカワ 岡村オカムラ 内山ウチヤマ 片岡カタオカ 柳田ヤナギダ \
岩井イワイ 滝沢タキザワ 青山アオヤマ 藤川フジカワ 宮川ミヤガワ 堀内ホリウチ 根本ネモト 黒木クロキ 田島タジマ 牧野マキノ 戸田トダ";

/// Given names with their reading.
const GIVEN: &str = "太郎タロウ 一郎イチロウ 次郎ジロウ 健一ケンイチ 健太ケンタ 大輔ダイスケ 誠マコト 隆タカシ 浩ヒロシ 博ヒロシ 茂シゲル \
清キヨシ 実ミノル 進ススム 勇イサム 正マサ 修オサム 豊ユタカ 学マナブ 剛ツヨシ 明アキラ 昭アキラ 浩二コウジ 健二ケンジ 和也カズヤ 達也タツヤ \
哲也テツヤ 直樹ナオキ 英樹ヒデキ 秀樹ヒデキ 大樹ダイキ 拓也タクヤ 翔太ショウタ 翔ショウ 蓮レン 悠真ユウマ 陽翔ハルト 湊ミナト 樹イツキ 大和ヤマト \
颯太ソウタ 陽太ヨウタ 悠斗ユウト 大翔ヒロト 陸リク 海斗カイト 健ケン 亮リョウ 亮太リョウタ 雄太ユウタ 駿シュン 拓海タクミ 智也トモヤ 正人マサト \
和夫カズオ 幸雄ユキオ 正雄マサオ 義雄ヨシオ 三郎サブロウ 洋平ヨウヘイ 洋介ヨウスケ 雄一ユウイチ 裕介ユウスケ 裕太ユウタ 花子ハナコ 和子カズコ \
幸子サチコ 洋子ヨウコ 恵子ケイコ 京子キョウコ 節子セツコ 久美子クミコ 由美子ユミコ 美智子ミチコ 陽子ヨウコ 智子トモコ 裕子ユウコ 順子ジュンコ \
真由美マユミ 明美アケミ 直美ナオミ 由美ユミ 恵美エミ 美咲ミサキ 葵アオイ 陽菜ヒナ 結衣ユイ 結菜ユイナ 凛リン 紬ツムギ 美羽ミウ 咲サキ 愛アイ \
彩アヤ 彩花アヤカ 美穂ミホ 麻衣マイ 愛美マナミ 優ユウ 優花ユウカ 七海ナナミ 莉子リコ 芽依メイ 心春コハル 楓カエデ 杏アン 桜サクラ さくらサクラ \
ひなたヒナタ 千尋チヒロ 香織カオリ 理恵リエ 久美クミ 真理マリ 典子ノリコ 文子フミコ 悦子エツコ 弘子ヒロコ 孝タカシ 聡サトシ 淳ジュン 徹トオル \
恵メグミ 薫カオル 純ジュン 歩アユム 光ヒカル 誠一セイイチ 浩一コウイチ 正一ショウイチ 一男カズオ 美紀ミキ 美香ミカ 舞マイ 瞳ヒトミ 遥ハルカ 茜アカネ";

const US_GIVEN: &str = "james robert john michael david william richard joseph thomas christopher charles daniel matthew anthony \
mark donald steven andrew paul joshua kenneth kevin brian timothy ronald george jason edward jeffrey ryan jacob nicholas gary eric \
jonathan stephen larry justin scott brandon benjamin samuel gregory alexander patrick frank raymond jack dennis jerry tyler aaron \
jose adam nathan henry zachary douglas peter kyle noah ethan jeremy liam mason logan lucas oliver elijah mary patricia jennifer \
linda elizabeth barbara susan jessica karen sarah lisa nancy sandra betty ashley emily kimberly margaret donna michelle carol \
amanda melissa deborah stephanie rebecca sharon laura cynthia dorothy amy kathleen angela shirley emma brenda pamela nicole anna \
samantha katherine christine debra rachel carolyn janet maria olivia heather helen catherine diane julie victoria joyce lauren \
kelly christina ruth joan virginia judith evelyn hannah andrea megan cheryl jacqueline madison teresa abigail sophia martha sara \
gloria janice ann kathryn isabella mia charlotte amelia ava jane alice";

const US_FAMILY: &str = "smith johnson williams brown jones garcia miller davis rodriguez martinez hernandez lopez gonzalez wilson \
anderson thomas taylor moore jackson martin lee perez thompson white harris sanchez clark ramirez lewis robinson walker young allen \
king wright scott torres nguyen hill flores green adams nelson baker hall rivera campbell mitchell carter roberts gomez phillips \
evans turner diaz parker cruz edwards collins reyes stewart morris morales murphy cook rogers gutierrez ortiz morgan cooper peterson \
bailey reed kelly howard ramos kim cox ward richardson watson brooks chavez wood james bennett gray mendoza ruiz hughes price alvarez \
castillo sanders patel myers long ross foster jimenez powell jenkins perry russell sullivan bell coleman butler henderson barnes \
gonzales fisher vasquez simmons romero jordan patterson alexander hamilton graham reynolds griffin wallace moreno west cole hayes \
bryant herrera gibson ellis tran medina aguilar stevens murray ford castro marshall owens harrison";

/// Two-letter codes of the states, of the capital's district and of territories.
const STATES: &str = "al ak az ar ca co ct de dc fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok \
or pa ri sc sd tn tx ut vt va wa wv wi wy pr vi gu";

const BUILDINGS: [&str; 24] = [
    "ハイツ",
    "マンション",
    "コーポ",
    "荘",
    "ビル",
    "タワー",
    "ハイム",
    "メゾン",
    "レジデンス",
    "アパート",
    "号室",
    "号棟",
    "団地",
    "ハウス",
    "パレス",
    "コート",
    "ヒルズ",
    "ガーデン",
    "apt",
    "unit",
    "suite",
    "ste ",
    "#",
    "館",
];

/// A word list.
pub(super) struct Words(HashSet<String>);

impl Words {
    fn of(words: impl Iterator<Item = String>) -> Words {
        Words(words.collect())
    }

    /// Whether the list has this folded word.
    pub(super) fn has(&self, word: &str) -> bool {
        self.0.contains(word)
    }

    /// Whether a folded text is a word of the list with at least one character behind it.
    pub(super) fn begins(&self, text: &str) -> bool {
        text.char_indices()
            .skip(1)
            .take(4)
            .any(|(at, _)| self.has(&text[..at]))
    }

    /// Whether a folded text ends with a word of the list, with something before it.
    pub(super) fn ends(&self, text: &str) -> bool {
        text.char_indices()
            .skip(1)
            .any(|(at, _)| self.has(&text[at..]))
    }
}

/// The written form, or the reading, of names listed with their reading.
fn half(list: &'static str, reading: bool) -> Words {
    let katakana = |c: char| matches!(c, '\u{30A1}'..='\u{30FA}');
    Words::of(list.split_whitespace().filter_map(move |entry| {
        let at = entry.find(katakana)?;
        if reading {
            kana_key(&entry[at..])
        } else {
            Some(fold(&entry[..at]))
        }
    }))
}

macro_rules! lists {
    ($($name:ident = $make:expr;)+) => {
        $(pub(super) static $name: LazyLock<Words> = LazyLock::new(|| $make);)+
    };
}

lists! {
    FAMILY_NAMES = half(FAMILY, false);
    FAMILY_READINGS = half(FAMILY, true);
    GIVEN_NAMES = half(GIVEN, false);
    GIVEN_READINGS = half(GIVEN, true);
    US_GIVEN_NAMES = Words::of(US_GIVEN.split_whitespace().map(str::to_owned));
    US_FAMILY_NAMES = Words::of(US_FAMILY.split_whitespace().map(str::to_owned));
    US_STATES = Words::of(STATES.split_whitespace().map(str::to_owned));
}

/// Whether a folded text speaks of a building or a unit.
pub(super) fn is_building(folded: &str) -> bool {
    BUILDINGS.iter().any(|word| folded.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_whole() {
        assert!(
            FAMILY_NAMES.has("佐藤")
                && FAMILY_NAMES.has(&fold("渡邊"))
                && FAMILY_NAMES.0.len() > 200
        );
        assert!(
            FAMILY_READINGS.has(&kana_key("サトウ").unwrap())
                && GIVEN_READINGS.has("ハナコ")
                && GIVEN_NAMES.has("花子")
        );
        assert!(
            FAMILY_NAMES.begins("佐藤花子")
                && !FAMILY_NAMES.begins("佐藤")
                && GIVEN_NAMES.ends("佐藤花子")
        );
        assert!(US_STATES.has("il") && US_GIVEN_NAMES.has("mary") && US_FAMILY_NAMES.has("smith"));
    }
}
